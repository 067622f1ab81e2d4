"""Small runs of `etdp-count` with the compiler off: whole, and interrupted and resumed.

Run by test_etdp_count.py in a process of its own: the loop of this network serves no other test.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experiments import run_experiment
from experiments.reporting import Progress, QuietReporter

SETTINGS = {
    "n_afferents": 40, "rate": 30.0, "duration": 100.0, "desired": 4, "neurons": 2, "epochs": 12,
    "step": 3e-3, "checkpoint_s": 0.0,
}  # fmt: skip


class Interrupts(QuietReporter):
    """Ctrl-C in the fourth epoch."""

    @contextmanager
    def progress(self, description: str, total: float) -> Iterator[Progress]:
        with super().progress(description, total) as quiet:

            class Fourth:
                epochs = 0

                def advance(self, amount: float = 1) -> None:
                    self.epochs += int(amount)
                    if self.epochs == 4:
                        raise KeyboardInterrupt

                def note(self, text: str) -> None:
                    quiet.note(text)

            yield Fourth()  # type: ignore[misc]


def main(folder: Path) -> None:
    run_experiment("etdp-count", out=folder / "whole", seed=7, settings=SETTINGS)
    try:
        run_experiment(
            "etdp-count", out=folder / "again", seed=7, settings=SETTINGS, reporter=Interrupts()
        )
    except KeyboardInterrupt:
        run_experiment("etdp-count", out=folder / "again", resume=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
