"""Running Python with numba's compiler off, in a process of its own: it is on or off for good."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "uncompiled_python"]

ROOT = Path(__file__).parents[1]


def uncompiled_python(*arguments: object) -> str:
    """What ``python arguments...`` prints, run from the root of the project; it must succeed."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout
