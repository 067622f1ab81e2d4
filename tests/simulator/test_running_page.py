"""The examples of docs/running.md, run as they are printed."""

from __future__ import annotations

from tests.doctests import assert_examples_run


def test_the_examples_run() -> None:
    assert_examples_run(
        "doctest.testfile('docs/running.md', False, optionflags=doctest.ELLIPSIS)", more_than=35
    )
