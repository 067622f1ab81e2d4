"""What the event loop of a network has to do, so that only that is compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.arrays import SPARSE
from simulator.compile import CompiledNetwork

__all__ = ["Needs", "needs_of"]


class Needs(NamedTuple):
    """Parts of the loop, all of them unless said otherwise.  Rules speak for themselves.

    Nothing that may change between two instants is among them.
    """

    stepped: bool = True  # neurons that are advanced at every input,
    together: bool = True  # a whole population at once
    lazy: bool = True  # neurons that are left alone,
    driven: bool = True  # with a private input
    rows: bool = True  # synapses in rows,
    several: bool = True  # that differ in delay
    whole: bool = True  # projections onto all neurons of a population
    watched: bool = True  # a recorder of events or of changes of weights
    spread: bool = True  # neurons on the cores of a machine


def needs_of(compiled: CompiledNetwork) -> Needs:
    """The parts that a network needs."""
    pops, projs, recorders = compiled.arrays.pops, compiled.arrays.projs, compiled.network.recorders
    return Needs(
        stepped=bool(np.any((pops.group >= 0) & (pops.lazy == 0))),
        together=bool(np.any((pops.group >= 0) & (pops.together > 0))),
        lazy=bool(np.any(pops.lazy)),
        driven=bool(np.any(pops.input >= 0)),
        rows=bool(np.any(projs.kind == SPARSE)),
        several=bool(np.any(np.isnan(projs.delay))),
        whole=bool(np.any(projs.kind != SPARSE)),
        watched=bool(recorders.events or recorders.changes),
        spread=bool(np.any(projs.spread)),
    )
