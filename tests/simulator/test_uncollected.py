"""Large kernels are compiled without Python's collector, which is then as it was."""

import gc

import numpy as np
import pytest
from numba import config, njit
from numba.extending import overload

from simulator.uncollected import UncollectedCompiler

pytestmark = pytest.mark.skipif(bool(config.DISABLE_JIT), reason="nothing is compiled")

seen: list[bool] = []


def looked_up(x):
    return x


@overload(looked_up)
def _typed(x):
    seen.append(gc.isenabled())
    return lambda x: x


def test_no_collection_while_compiling():
    seen.clear()
    assert njit(pipeline_class=UncollectedCompiler)(lambda x: looked_up(x))(2) == 2
    assert seen
    assert not any(seen)
    assert gc.isenabled()


def test_the_collector_is_as_it_was_after_an_error():
    @njit(pipeline_class=UncollectedCompiler)
    def wrong(x):
        return x.nothing_of_the_kind

    with pytest.raises(Exception, match="nothing_of_the_kind"):
        wrong(np.ones(1))
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off():
    @njit(pipeline_class=UncollectedCompiler)
    def twice(x):
        return 2 * x

    gc.disable()
    try:
        assert twice(2) == 4
        assert not gc.isenabled()
    finally:
        gc.enable()
