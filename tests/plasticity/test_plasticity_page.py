"""The examples of docs/plasticity.md, run as they are printed, and its table."""

from __future__ import annotations

import plasticity
from tests.doctests import assert_examples_run
from tests.uncompiled import ROOT

PAGE = ROOT / "docs" / "plasticity.md"


def test_the_examples_run() -> None:
    assert_examples_run("doctest.testfile('docs/plasticity.md', False)", more_than=10)


def test_every_rule_is_in_the_table() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    named = [line.split("`")[1] for line in lines if line.startswith("| `")]
    named = [name for name in named if "(" not in name]  # traces have a table of their own
    assert sorted(named) == sorted(plasticity.__all__)
