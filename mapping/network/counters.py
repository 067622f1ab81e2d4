"""Numbers that the kernels keep, by their place in `Tables.counters`."""

from __future__ import annotations

__all__ = ["N_COUNTERS"]

(
    NOW,  # the next cycle to be simulated
    ACTIVE,  # routers with work, at the front of Tables.active
    AWAKE,  # sources that can send, at the front of Tables.awake
    FREE_SLOTS,
    NEXT_PENDING,  # first packet of the batch that is not created yet
    DELIVERIES,  # rows of the delivery table in use
    INJECTED,  # copies created: one for each core a packet goes to
    DELIVERED,
    DROPPED,  # copies that waited too long in a router
    REFUSED,  # copies that found the injection queue full
    LIVE,  # copies in flight, the injection queues included
    CYCLES,  # that were simulated, not jumped over
    VISITS,  # of routers
    PEAK,  # most flits that a buffer held
    STATUS,
    PLACE,  # lane that the status is about
    N_COUNTERS,
) = range(17)

# Why the kernel came back.
DONE, STALLED, DEAD_END, NO_ROOM = 0, 1, 2, 3

# Times of waiting are kept by their last bits.
RECENT = (1 << 30) - 1
