"""Roots on a bracket: where they are, and at how few evaluations."""

from __future__ import annotations

from math import exp, inf, log, nextafter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulator.roots import bracketed_newton


@example(root=1e-06, offset=1.939433351008588, end=1.0)  # to and fro between two places
@given(root=st.floats(1e-6, 50.0), offset=st.floats(0.0, 1e3), end=st.floats(1.0, 1e3))
def test_a_root_is_found_to_rounding_at_few_evaluations(root, offset, end):
    """A potential on its way to threshold: the offset makes it round coarsely near the root."""
    height = 1.0 - exp(-root / 10.0)
    calls = []

    def rise(a, t):
        calls.append(t)
        return (offset + (1.0 - exp(-t / 10.0))) - (offset + height), exp(-t / 10.0) / 10.0

    found = bracketed_newton(rise)(None, 0.0, root + end)
    noise = (nextafter(offset + 1.0, inf) - (offset + 1.0)) * 10.0 * exp(root / 10.0)
    assert abs(found - root) <= 4.0 * noise + 1e-15 * root
    # Near a root as flat as its rounding there is no sign to go by but that of chance.
    if noise < 1e-3 * root:
        assert len(calls) <= 25


def test_a_touching_root_is_found():
    """At a graze Newton's method halves its distance, and must not take that for the end."""
    find = bracketed_newton(lambda a, t: (-((t - 2.0) ** 2), -2.0 * (t - 2.0)))
    assert find(None, 0.0, 2.0) == pytest.approx(2.0, abs=1e-7)


@given(root=st.floats(0.01, 0.99))
def test_a_step_of_newton_out_of_the_bracket_is_not_taken(root):
    def steep(a, t):
        return t**9 - root**9, 9.0 * t**8

    assert bracketed_newton(steep)(None, 0.0, 1.0) == pytest.approx(root, rel=1e-12)


def test_a_long_bracket_ends_with_the_same_root():
    def late(a, t):
        return log(1.0 + t) - log(1.0 + 0.1), 1.0 / (1.0 + t)

    find = bracketed_newton(late)
    assert find(None, 0.0, 1e9) == pytest.approx(0.1, rel=1e-14)
