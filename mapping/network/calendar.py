"""Events that are a known number of cycles away: credits, flits on wires, heads being routed."""

from __future__ import annotations

from mapping.kernel_part import kernel_part
from mapping.network import layout as at
from mapping.network.setup import Setup
from mapping.network.tables import ARRIVALS, CALENDARS, CREDITS, ENDS, STARTS, Tables

__all__ = [
    "NOT_NEGATIVE",
    "page_of",
    "put_arrival",
    "put_credit",
    "put_end",
    "put_start",
    "quiet_cycles",
]


# Tells the compiler, which then does not look for places that count from the end of an array.
NOT_NEGATIVE = 0xFFFFFFFF


@kernel_part
def page_of(setup: Setup, which: int, cycle: int) -> int:
    """Place of a calendar's page for a cycle, in `Tables.page` and `Tables.filled`."""
    return (cycle & (setup.horizon - 1) & NOT_NEGATIVE) * CALENDARS + which


@kernel_part
def put_credit(setup: Setup, t: Tables, channel: int, cycle: int) -> None:
    """A credit of a channel can be used from a cycle on."""
    page = page_of(setup, CREDITS, cycle)
    end = t.filled[page]
    t.calendar[end] = channel
    t.filled[page] = end + 1


@kernel_part
def put_arrival(setup: Setup, t: Tables, lane: int, flit: int, cycle: int) -> None:
    """A flit reaches a buffer in a cycle."""
    page = page_of(setup, ARRIVALS, cycle)
    end = t.filled[page]
    t.calendar[end] = lane
    t.calendar[end + 1] = flit
    t.filled[page] = end + 2


@kernel_part
def put_end(setup: Setup, t: Tables, router: int, slot: int, cycle: int) -> None:
    """The tail of a packet reaches the core of a router in a cycle."""
    page = page_of(setup, ENDS, cycle)
    end = t.filled[page]
    t.calendar[end] = t.words[router + at.NUMBER]
    t.calendar[end + 1] = slot
    t.filled[page] = end + 2


@kernel_part
def put_start(setup: Setup, t: Tables, lane: int, cycle: int) -> None:
    """The head at the front of a buffer is routed, and asks for a channel from a cycle on."""
    t.words[lane + at.STATE] = at.ROUTING
    page = page_of(setup, STARTS, cycle)
    end = t.filled[page]
    t.calendar[end] = lane
    t.filled[page] = end + 1


@kernel_part
def quiet_cycles(setup: Setup, t: Tables, now: int) -> int:
    """Cycles from `now` to the next with an event, `horizon` if there is none."""
    for ahead in range(1, setup.horizon):
        first = page_of(setup, 0, now + ahead)
        for page in range(first, first + CALENDARS):
            if t.filled[page] != t.page[page]:
                return ahead
    return setup.horizon
