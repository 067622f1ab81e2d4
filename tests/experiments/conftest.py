"""A tiny experiment that is found as a user's own would be: by lying in the package's folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import experiments

TINY = '''
"""A clock that ticks: the smallest experiment."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from experiments import Context, Experiment, setting
from experiments.network_record import NetworkRecord, ProjectionRecord


@dataclass(frozen=True)
class Config:
    n: int = setting(4, "how many neurons")
    period: float = setting(5.0, "between ticks", unit="ms")
    end: Literal["well", "error", "interrupt", "nan"] = setting("well", "how it ends")


def run(config: Config, context: Context) -> dict[str, object]:
    done = int(context.directory.arrays("checkpoint")["ticks"]) if context.resume else 0
    context.directory.declare_populations("clock", "echo")
    with context.progress("tick", 10) as bar:
        for k in range(done, 10):
            context.directory.append_spikes("clock", [k * config.period] * 2, [k % config.n, 0])
            bar.advance()
            bar.note(f"tick {k}")
            if k == 4 and not context.resume and config.end in ("error", "interrupt"):
                context.directory.write_arrays("checkpoint", {"ticks": np.int64(5)})
                raise KeyboardInterrupt if config.end == "interrupt" else RuntimeError("broken")
    context.directory.update(simulated_ms=10 * config.period)
    context.directory.write_network(
        NetworkRecord(
            {"clock": config.n, "echo": 3},
            (ProjectionRecord("clock", "echo"), ProjectionRecord("echo", "echo", allow_self=False)),
        )
    )
    context.table("Result", ("what", "value"), [("ticks", 10)])
    return {"ticks": 10, "rate_hz": float("nan") if config.end == "nan" else 1e3 / config.period}


EXPERIMENT = Experiment(name="tiny", summary="a clock that ticks", config=Config, run=run)
'''


@pytest.fixture
def tiny(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Puts the experiment `tiny` beside the others; returns its file."""
    folder = tmp_path_factory.mktemp("more_experiments")
    file = folder / "tiny.py"
    file.write_text(TINY)
    monkeypatch.setattr(experiments, "__path__", [*experiments.__path__, str(folder)])
    monkeypatch.delitem(sys.modules, "experiments.tiny", raising=False)
    importlib.invalidate_caches()
    yield file
    sys.modules.pop("experiments.tiny", None)
    if hasattr(experiments, "tiny"):
        del experiments.tiny
