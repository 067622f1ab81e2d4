"""Lists of what has work: routers, sources, and the branches of a router that can send."""

from __future__ import annotations

from mapping.kernel_part import kernel_part
from mapping.network import layout as at
from mapping.network.counters import ACTIVE, AWAKE, FREE_SLOTS
from mapping.network.tables import Tables

__all__ = ["activate", "free_slot", "make_ready", "unsettle", "wake_source"]


@kernel_part
def activate(t: Tables, router: int) -> None:
    """Put a router on the list of those with work."""
    if t.words[router + at.ACTIVE] == 0:
        t.words[router + at.ACTIVE] = 1
        t.active[t.counters[ACTIVE]] = router
        t.counters[ACTIVE] += 1


@kernel_part
def unsettle(t: Tables, router: int) -> None:
    """Have the heads that wait in a router ask for channels again."""
    t.words[router + at.UNSETTLED] = 1
    activate(t, router)


@kernel_part
def make_ready(t: Tables, branch: int, side: int) -> None:
    """Enter a branch that has a flit and a credit for the next switch allocation."""
    w = t.words
    w[side + at.READY] |= 1 << w[branch + at.PLACE]
    router = w[side + at.IN_ROUTER]
    w[router + at.READY_SIDES] |= w[side + at.IN_BIT]
    activate(t, router)


@kernel_part
def wake_source(t: Tables, source: int) -> None:
    """Put a source on the list of those that can send."""
    t.words[source + at.AWAKE] = 1
    t.awake[t.counters[AWAKE]] = source
    t.counters[AWAKE] += 1


@kernel_part
def free_slot(t: Tables, slot: int) -> None:
    """Give back the slot of a packet."""
    t.free_slots[t.counters[FREE_SLOTS]] = slot
    t.counters[FREE_SLOTS] += 1
