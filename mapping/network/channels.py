"""Virtual-channel allocation: heads that were routed ask for a channel, one round of iSLIP.

Every waiting head picks one of the channels it is offered: of those with a free lane the one with
the most credits, ties at random (by a hash of seed, packet and router, so that a run can be
repeated). It asks for all free lanes of that channel. Every lane grants to the first asker at or
after its pointer, every head accepts the first granted lane at or after its own, and the pointers
of a match move on by one.

N. McKeown, The iSLIP scheduling algorithm for input-queued switches, IEEE/ACM Trans. Networking 7,
1999, section II.
"""

from __future__ import annotations

from mapping.network.counters import NONE, RECENT, SENDING, WAITING
from mapping.network.events import drop, make_ready
from mapping.network.kernel_part import kernel_part
from mapping.network.tables import (
    BRANCH,
    BUFFER,
    CHANNEL,
    IN_PORT,
    OUT_PORT,
    PACKET,
    ROUTER,
    IntArray,
    Setup,
    Tables,
)

__all__ = ["allocate_channels", "drop_overdue", "take_channel"]


_BITS = 0x7FFFFFFF


@kernel_part
def _mixed(x: int) -> int:
    """31 bits without visible structure, from 31 bits; no product passes 63 bits."""
    x = ((x ^ (x >> 16)) * 0x45D9F3B) & _BITS
    x = ((x ^ (x >> 16)) * 0x45D9F3B) & _BITS
    return x ^ (x >> 16)


@kernel_part
def _free_lanes(setup: Setup, t: Tables, port: int, lanes: int, need: int) -> int:
    """Those of a set of lanes that a packet may be given, as a set of bits."""
    free = t.out_port[port, OUT_PORT.free] & lanes
    if free and need > 0:
        for lane in range(setup.lanes):
            if free >> lane & 1 and t.channel[port * setup.lanes + lane, CHANNEL.credits] < need:
                free ^= 1 << lane
    return int(free)


@kernel_part
def _wanted(setup: Setup, t: Tables, branch: int, slot: int, router: int) -> tuple[int, int]:
    """Side of the router and lanes that a head asks for; no lanes if none is free."""
    need = 0
    if setup.cut_through:
        need = t.packet[slot, PACKET.flits]
    elif setup.drop_after >= 0:
        need = 1
    n = t.branch[branch, BRANCH.offers]
    if n == 0:
        every = (1 << setup.lanes) - 1
        return 4, _free_lanes(setup, t, 5 * setup.routers + router, every, need)
    if n == 1:
        link = t.offer[branch, 0]
        return link & 3, _free_lanes(setup, t, link, t.offer[branch, 1], need)
    best_side, best_lanes, best_credits, ties = 0, 0, -1, 0
    for k in range(n):
        link = t.offer[branch, 2 * k]
        free = _free_lanes(setup, t, link, t.offer[branch, 2 * k + 1], need)
        if free == 0:
            continue
        credits = 0
        for lane in range(setup.lanes):
            if free >> lane & 1:
                credits += t.channel[link * setup.lanes + lane, CHANNEL.credits]
        if credits > best_credits:
            best_credits, best_side, best_lanes, ties = credits, link & 3, free, 1
        elif credits == best_credits:
            ties += 1
            key = _mixed(_mixed(setup.seed) ^ (t.packet[slot, PACKET.number] & _BITS))
            if _mixed(key ^ (5 * router + k + 1)) % ties == 0:
                best_side, best_lanes = link & 3, free
    return best_side, best_lanes


@kernel_part
def allocate_channels(setup: Setup, t: Tables, router: int, ask: IntArray, grants: IntArray) -> int:
    """One round in one router; what is granted is written into `grants`.

    Parameters
    ----------
    ask : int64 array, shape (5, 5 * lanes * branches)
        Scratch: branch, number among the inputs, side, lanes asked for, lanes granted.
    grants : int64 array, shape (2, 5 * lanes * branches)
        Out: branch and channel.

    Returns
    -------
    int
        Number of grants. Nothing is taken yet: see `take_channel`.
    """
    width = setup.lanes * setup.branches
    sides = t.router[router, ROUTER.waiting]
    n = 0
    for side in range(5):
        if not sides >> side & 1:
            continue
        port = t.inputs[router, side]
        waiting = t.in_port[port, IN_PORT.waiting]
        place = 0
        while waiting:
            if waiting & 1:
                branch = port * width + place
                buffer = t.branch[branch, BRANCH.buffer]
                slot = t.flit[buffer * setup.depth + t.buffer[buffer, BUFFER.oldest]] >> 2
                out_side, free = _wanted(setup, t, branch, slot, router)
                if free:
                    ask[0, n], ask[1, n] = branch, side * width + place
                    ask[2, n], ask[3, n], ask[4, n] = out_side, free, 0
                    n += 1
            waiting >>= 1
            place += 1
    granted = 0
    if n == 1:
        ask[4, 0] = ask[3, 0]
    elif n > 1:
        _grant(setup, t, router, ask, n)
    for k in range(n):
        if ask[4, k]:
            grants[0, granted] = ask[0, k]
            grants[1, granted] = _accept(setup, t, router, ask, k)
            granted += 1
    # Who lost to another asks again; who found nothing free waits until something is.
    t.router[router, ROUTER.unsettled] = 1 if granted < n or setup.drop_after >= 0 else 0
    return granted


@kernel_part
def _grant(setup: Setup, t: Tables, router: int, ask: IntArray, n: int) -> None:
    """Every lane that is asked for chooses an asker."""
    around = 5 * setup.lanes * setup.branches
    seen = shared = 0
    for k in range(n):
        shared |= seen & 1 << ask[2, k]
        seen |= 1 << ask[2, k]
    for k in range(n):  # alone at its side: nothing to arbitrate
        if not shared >> ask[2, k] & 1:
            ask[4, k] = ask[3, k]
    if shared == 0:
        return
    for out_side in range(5):
        if not shared >> out_side & 1:
            continue
        asked = 0
        for k in range(n):
            if ask[2, k] == out_side:
                asked |= ask[3, k]
        port = 4 * router + out_side if out_side < 4 else 5 * setup.routers + router
        lane = 0
        while asked:
            if asked & 1:
                turn = t.channel[port * setup.lanes + lane, CHANNEL.turn]
                nearest, chosen = around, 0
                for k in range(n):
                    if ask[2, k] == out_side and ask[3, k] >> lane & 1:
                        away = ask[1, k] - turn
                        if away < 0:
                            away += around
                        if away < nearest:
                            nearest, chosen = away, k
                ask[4, chosen] |= 1 << lane
            asked >>= 1
            lane += 1


@kernel_part
def _accept(setup: Setup, t: Tables, router: int, ask: IntArray, k: int) -> int:
    """Channel that an asker takes of those granted to it; the pointers of both move on."""
    branch, number, side, lanes = ask[0, k], ask[1, k], ask[2, k], ask[4, k]
    turn = (
        t.branch[branch, BRANCH.turn] - side * setup.lanes
    )  # the lane its pointer is at, or beyond
    chosen = -1
    for lane in range(setup.lanes):
        if lanes >> lane & 1 and (chosen < 0 or (chosen < turn and lane >= turn)):
            chosen = lane
    port = 4 * router + side if side < 4 else 5 * setup.routers + router
    channel = port * setup.lanes + chosen
    after = number + 1
    t.channel[channel, CHANNEL.turn] = 0 if after == 5 * setup.lanes * setup.branches else after
    after = side * setup.lanes + chosen + 1
    t.branch[branch, BRANCH.turn] = 0 if after == 5 * setup.lanes else after
    return int(channel)


@kernel_part
def stop_waiting(t: Tables, branch: int, port: int) -> None:
    """Take a branch off those that ask for channels."""
    t.in_port[port, IN_PORT.waiting] &= ~(1 << t.branch[branch, BRANCH.place])
    if t.in_port[port, IN_PORT.waiting] == 0:
        router, side = t.in_port[port, IN_PORT.router], t.in_port[port, IN_PORT.side]
        t.router[router, ROUTER.waiting] &= ~(1 << side)


@kernel_part
def take_channel(setup: Setup, t: Tables, branch: int, channel: int) -> None:
    """Give a channel to a branch that waits."""
    buffer = t.branch[branch, BRANCH.buffer]
    port, out_port = t.buffer[buffer, BUFFER.port], t.channel[channel, CHANNEL.port]
    stop_waiting(t, branch, port)
    t.channel[channel, CHANNEL.owner] = branch
    t.out_port[out_port, OUT_PORT.free] &= ~t.channel[channel, CHANNEL.mask]
    t.branch[branch, BRANCH.state] = SENDING
    t.branch[branch, BRANCH.out] = channel
    t.branch[branch, BRANCH.out_port] = out_port
    t.branch[branch, BRANCH.side] = out_port & 3 if out_port < 4 * setup.routers else 4
    if (
        t.channel[channel, CHANNEL.credits] > 0
        and t.branch[branch, BRANCH.ahead] < t.buffer[buffer, BUFFER.flits]
    ):
        make_ready(t, branch, buffer)


@kernel_part
def drop_overdue(setup: Setup, t: Tables, router: int, now: int) -> bool:
    """Drop what waited longer than allowed; whether anything still waits."""
    width = setup.lanes * setup.branches
    still = False
    for side in range(5):
        port = t.inputs[router, side]
        if port < 0:
            continue
        for place in range(width):
            branch = port * width + place
            if (
                t.in_port[port, IN_PORT.waiting] >> place & 1
                and t.branch[branch, BRANCH.state] == WAITING
            ):
                buffer = t.branch[branch, BRANCH.buffer]
                if (now - t.buffer[buffer, BUFFER.since]) & RECENT >= setup.drop_after:
                    stop_waiting(t, branch, port)
                    t.branch[branch, BRANCH.state] = NONE
                    drop(setup, t, branch, buffer, now)
                else:
                    still = True
    return still
