"""The examples of docs/neurons.md, run as they are printed, and its table."""

from __future__ import annotations

import neurons
from simulator.model import NeuronModel
from tests.doctests import assert_examples_run
from tests.uncompiled import ROOT

PAGE = ROOT / "docs" / "neurons.md"


def test_the_examples_run() -> None:
    assert_examples_run("doctest.testfile('docs/neurons.md', False)", more_than=15)


def test_every_model_is_in_the_table_and_what_it_says_is_so() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
    models = [getattr(neurons, name) for name in neurons.__all__]
    for model in models:
        if isinstance(model, type) and issubclass(model, NeuronModel):
            if model in (neurons.Parrot, neurons.Concentration):  # they have no potential
                continue
            (row,) = (line for line in rows if f"`{model.__name__}`" in line.split("|")[1])
            cells = [cell.strip() for cell in row.split("|")]
            assert cells[4].startswith("no") != model.linear
            assert cells[5].endswith("go on") == bool(model.synaptic)
            assert ("integrated" in cells[3]) == model.looks_ahead()
            adaptive = "theta_plus" in model.Parameters._fields
            assert adaptive == (model.__name__ not in ("LIFExp", "AdEx", "Izhikevich"))
            assert "bias" in model.Parameters._fields
