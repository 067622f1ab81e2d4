"""Numbers that the kernels keep, by their place in `Tables.counters`."""

from __future__ import annotations

__all__ = ["N_COUNTERS"]

(
    NOW,  # the next cycle to be simulated
    ACTIVE,  # routers with work, at the front of Tables.active
    ACTIVE_SOURCES,
    TO_ROUTE,  # heads that came to the front of their buffers
    EVENTS,  # arrivals, credits and starts that lie ahead
    FREE_SLOTS,
    NEXT_PENDING,  # first packet of the batch that is not created yet
    DELIVERIES,  # rows of the delivery table in use
    INJECTED,  # copies created: one for each core a packet goes to
    DELIVERED,
    DROPPED,  # copies that waited too long in a router
    REFUSED,  # copies that found the injection queue full
    LIVE,  # copies in flight, the injection queues included
    FLIT_HOPS,  # flits sent over links
    FLITS_DELIVERED,
    CYCLES,  # that were simulated, not jumped over
    VISITS,  # of routers
    STATUS,
    PLACE,  # buffer that the status is about
    N_COUNTERS,
) = range(20)

# Why the kernel came back.
DONE, STALLED, DEAD_END, NO_ROOM = 0, 1, 2, 3

# States of a buffer and of a branch.
IDLE, ROUTING, ROUTED = 0, 1, 2
NONE, WAITING, SENDING, DROPPING = 0, 1, 2, 3

# Owners of a channel that are not a branch.
FREE, DRAINING = -1, -2

# Times of waiting are kept by their last bits.
RECENT = (1 << 30) - 1
