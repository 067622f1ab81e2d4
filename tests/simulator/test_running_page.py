"""The examples of docs/running.md, run as they are printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = """
import doctest
print(*doctest.testfile("docs/running.md", False, optionflags=doctest.ELLIPSIS))
"""


def test_the_examples_run() -> None:
    """With the compiler off: no other test needs this combination of models and rules."""
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    failed, attempted = done.stdout.split()[-2:]
    assert failed == "0", done.stdout
    assert int(attempted) > 35
