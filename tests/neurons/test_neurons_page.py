"""The examples of docs/neurons.md, run as they are printed, and its table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import neurons
from simulator.model import NeuronModel

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "neurons.md"


def test_the_examples_run() -> None:
    """With the compiler off: no other test needs these combinations of models."""
    code = "import doctest; print(*doctest.testfile('docs/neurons.md', False))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    failed, attempted = done.stdout.split()[-2:]
    assert failed == "0", done.stdout
    assert int(attempted) > 15


def test_every_model_is_in_the_table_and_what_it_says_is_so() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    models = [getattr(neurons, name) for name in neurons.__all__]
    for model in models:
        if isinstance(model, type) and issubclass(model, NeuronModel):
            (row,) = (line for line in rows if f"`{model.__name__}`" in line.split("|")[1])
            cells = [cell.strip() for cell in row.split("|")]
            assert cells[4].startswith("no") != model.linear
            assert cells[5].endswith("go on") == bool(model.synaptic)
            assert ("integrated" in cells[3]) == model.looks_ahead()
            adaptive = "theta_plus" in model.Parameters._fields
            assert adaptive == (model.__name__ not in ("LIFExp", "AdEx", "Izhikevich"))
            assert "bias" in model.Parameters._fields
