"""The examples of docs/mapping.md, run as they are printed."""

from __future__ import annotations

from tests.doctests import assert_examples_run


def test_the_examples_run() -> None:
    options = "doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL"
    assert_examples_run(
        f"doctest.testfile('docs/mapping.md', False, optionflags={options})", more_than=30
    )
