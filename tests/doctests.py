"""Running the examples of a page or a module as they are printed."""

from __future__ import annotations

from tests.uncompiled import uncompiled_python

__all__ = ["assert_examples_run"]


def assert_examples_run(call: str, more_than: int) -> None:
    """``call`` is an expression of doctest's ``testfile`` or ``testmod``.

    With the compiler off: no other test needs the combinations of models and rules of a page.
    """
    output = uncompiled_python("-c", f"import doctest; print(*{call})")
    failed, attempted = output.split()[-2:]
    assert failed == "0", output
    assert int(attempted) > more_than
