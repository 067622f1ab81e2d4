"""Functions compiled as parts of their caller only."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import config, njit
from numba.core import codegen

from simulator import inner
from simulator.inner import register_jitable

compiled = pytest.mark.skipif(config.DISABLE_JIT, reason="nothing is compiled")


def nested() -> Any:
    """A function of three levels that adds up, recurs to a shared part, and refuses."""

    @register_jitable
    def square(x):  # type: ignore[no-untyped-def]
        return x * x

    @register_jitable(forceinline=True)
    def refuse(x):  # type: ignore[no-untyped-def]
        if x < 0.0:
            raise ValueError("negative")
        return square(x)

    @register_jitable
    def total(values):  # type: ignore[no-untyped-def]
        result = 0.0
        for k in range(values.size):
            result += max(refuse(values[k]), 0.1) + square(k)
        return result

    @njit
    def outer(values):  # type: ignore[no-untyped-def]
        return total(values) + square(values[0])

    return outer


@pytest.mark.parametrize("usable", [True, False])
def test_parts_give_the_same_either_way(usable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inner, "_usable", lambda generator: usable)
    outer, values = nested(), np.array([0.3, 2.0, 0.7])
    expected = sum(max(x * x, 0.1) + k * k for k, x in enumerate(values)) + values[0] ** 2
    assert outer(values) == pytest.approx(expected, rel=1e-15)
    assert outer(values) == getattr(outer, "py_func", outer)(values)
    with pytest.raises(ValueError, match="negative"):
        outer(-values)


@compiled
@pytest.mark.parametrize(("usable", "names"), [(True, {"nested.<locals>.outer"}), (False, None)])
def test_only_the_outermost_function_is_translated(
    usable: bool, names: set[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    translated: set[str] = set()
    finish = codegen.JITCodeLibrary._finalize_specific

    def note(library: Any) -> None:
        translated.add(library.name)
        finish(library)

    monkeypatch.setattr(inner, "_usable", lambda generator: usable)
    monkeypatch.setattr(codegen.JITCodeLibrary, "_finalize_specific", note)
    nested()(np.ones(2))
    ours = {name for name in translated if name.startswith("nested")}
    assert ours == names if names else len(ours) == 4


@compiled
def test_numba_keeps_intermediate_code_where_it_is_looked_for() -> None:
    assert inner._usable(njit(lambda: 0).targetctx.codegen())


def test_a_part_is_there_though_its_first_caller_is_optimised_away() -> None:
    @register_jitable
    def shared(x):  # type: ignore[no-untyped-def]
        total = 0.0
        for k in range(int(x)):
            total += 1.0 / (k + x)
        return total

    @register_jitable
    def first(x):  # type: ignore[no-untyped-def]
        return shared(x) + 1.0

    @register_jitable
    def second(x):  # type: ignore[no-untyped-def]
        return shared(x) - 1.0

    @register_jitable
    def both(x):  # type: ignore[no-untyped-def]
        n = 0
        for _ in range(3):
            n += 0
        if n > 0:
            x = first(x)
        return second(x)

    @njit
    def outer(x):  # type: ignore[no-untyped-def]
        return both(x)

    assert outer(2.0) == pytest.approx(1 / 2 + 1 / 3 - 1.0, abs=1e-15)


@compiled
@pytest.mark.parametrize(("apart", "copies"), [(True, 1), (False, 3)])
def test_a_part_that_is_kept_apart_is_there_once(
    apart: bool, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimised: list[str] = []
    optimise = codegen.JITCodeLibrary._optimize_final_module

    def note(library: Any) -> None:
        optimise(library)
        optimised.append(str(library._final_module))

    @register_jitable(forceinline=True)
    def callee(x):  # type: ignore[no-untyped-def]
        return np.log(x)

    @register_jitable(apart=apart)
    def search(x):  # type: ignore[no-untyped-def]
        while x > 1.0:
            x -= callee(x)
        return x

    @register_jitable(forceinline=True)
    def thrice(x, y, z):  # type: ignore[no-untyped-def]
        return search(x) + search(y) * search(z)

    @njit(no_cfunc_wrapper=True)
    def outer(x, y, z):  # type: ignore[no-untyped-def]
        return thrice(x, y, z)

    monkeypatch.setattr(codegen.JITCodeLibrary, "_optimize_final_module", note)
    assert outer(2.0, 3.0, 4.0) == outer.py_func(2.0, 3.0, 4.0)
    logarithms = [line for line in optimised[-1].splitlines() if "call double @llvm.log" in line]
    assert len(logarithms) == copies


def test_a_part_that_is_kept_apart_can_be_called_from_outside() -> None:
    """By a function that is compiled the usual way, and by another part of the same."""

    @register_jitable(apart=True)
    def search(x):  # type: ignore[no-untyped-def]
        while x > 1.0:
            x -= np.log(x)
        return x

    @register_jitable
    def twice(x):  # type: ignore[no-untyped-def]
        return search(x) + search(x + 1.0)

    @njit
    def outer(x):  # type: ignore[no-untyped-def]
        return search(x) + twice(x)

    assert outer(3.0) == outer.py_func(3.0)
