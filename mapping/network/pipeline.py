"""The stages of a router, in cycles: how deep its pipeline is and what a new packet costs.

A flit that meets no other takes ``cycles_per_hop`` from one router to the next, and a packet

    2 + cycles_per_hop hops + (cycles_per_hop - link + 1) + flits - 1

cycles from its creation to the arrival of its tail: two cycles from the core into the router, one
cycle of wire on the way out. With every stage at one cycle that is 2 + 5 (hops + 1) + flits - 1.

The stages are those of an input-queued router: W. J. Dally, B. Towles, Principles and Practices of
Interconnection Networks, 2004, chapter 16.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields

import numpy as np

from simulator.errors import MappingError

__all__ = ["Pipeline"]

_LEAST = {"routing": 0, "credit": 0}


@dataclass(frozen=True)
class Pipeline:
    """Cycles that a head flit spends in each stage of a router.

    Parameters
    ----------
    routing : int
        Route computation, >= 0; 0 is look-ahead routing, done while the flit is on its way.
    vc_allocation, switch_allocation : int
        >= 1. More than one means pipelined allocators: the stages before the decision (of the
        virtual channel) or after it (of the switch) only add latency.
    switch_traversal : int
        >= 1.
    link : int
        Wire between two routers, >= 1; a slow link of the mesh adds its own cycles.
    credit : int
        Cycles until a credit that has arrived is used, >= 0. Its wire takes `link` cycles as well.
    turnaround : int or None
        Cycles from the departure of a packet's tail (its switch allocation) to the earliest
        departure of the next packet's head out of the same virtual channel, >= 1. None is a router
        that starts with the next packet only then: routing + vc_allocation + 1. With 1, the next
        packet was routed and given its virtual channel while it waited.

    Examples
    --------
    >>> Pipeline().cycles_per_hop, Pipeline(routing=0).cycles_per_hop
    (5, 4)
    >>> Pipeline().zero_load_latency(hops=3, flits=1)
    22
    """

    routing: int = 1
    vc_allocation: int = 1
    switch_allocation: int = 1
    switch_traversal: int = 1
    link: int = 1
    credit: int = 1
    turnaround: int | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "turnaround" and value is None:
                continue
            least = _LEAST.get(field.name, 1)
            try:
                number = operator.index(value)
            except TypeError:
                number = least - 1
            if number < least or isinstance(value, bool | np.bool_):
                raise MappingError(
                    f"Pipeline.{field.name} = {value!r}; it must be an integer >= {least} [cycles]"
                )
            object.__setattr__(self, field.name, number)

    @property
    def cycles_per_hop(self) -> int:
        """Cycles from the arrival of a head flit in one router to that in the next."""
        return (
            self.routing
            + self.vc_allocation
            + self.switch_allocation
            + self.switch_traversal
            + self.link
        )

    @property
    def packet_turnaround(self) -> int:
        """`turnaround`, or what it is by default."""
        if self.turnaround is None:
            return self.routing + self.vc_allocation + 1
        return self.turnaround

    def zero_load_latency(self, hops: int, flits: int) -> int:
        """Cycles from the creation of a packet to the arrival of its tail, if it is alone."""
        last = self.cycles_per_hop - self.link + 1
        return 2 + self.cycles_per_hop * hops + last + flits - 1
