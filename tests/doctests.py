"""Running the examples of a page or a module as they are printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "assert_examples_run"]

ROOT = Path(__file__).parents[1]


def assert_examples_run(call: str, more_than: int) -> None:
    """``call`` is an expression of doctest's ``testfile`` or ``testmod``.

    With the compiler off: no other test needs the combinations of models and rules of a page.
    """
    done = subprocess.run(
        [sys.executable, "-c", f"import doctest; print(*{call})"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    failed, attempted = done.stdout.split()[-2:]
    assert failed == "0", done.stdout
    assert int(attempted) > more_than
