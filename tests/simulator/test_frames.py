"""How amplitudes grow with the age of their frame."""

from __future__ import annotations

import math

import mpmath
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.frames import FRAME, growth


@given(x=st.floats(0.0, FRAME))
def test_growth_is_the_exponential_to_two_units_in_the_last_place(x):
    exact = mpmath.exp(mpmath.mpf(x))
    assert abs(mpmath.mpf(growth(x)) - exact) <= 2.0 * math.ulp(float(exact))


def test_growth_at_all_places_of_the_table_and_between():
    for x in np.arange(0.0, FRAME + 1e-9, 1.0 / 256.0):
        for near in (float(x), math.nextafter(x, 0.0), math.nextafter(x, 99.0)):
            assert abs(growth(near) - math.exp(near)) <= 3.0 * math.ulp(math.exp(near))
    assert growth(0.0) == 1.0


@given(x=st.floats(-700.0, 0.0, exclude_max=True) | st.floats(FRAME, 700.0, exclude_min=True))
def test_growth_beyond_a_frame_is_that_of_the_library(x):
    assert growth(x) == math.exp(x)
