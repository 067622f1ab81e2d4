"""Switch allocation and traversal: which flits leave a router in a cycle, one round of iSLIP.

Every input proposes for each output one of its branches (those in turn first), every output grants
to the first input at or after its pointer, every input accepts the first output at or after its
own; a match moves both pointers and the input's turn among its branches on by one.

N. McKeown, The iSLIP scheduling algorithm for input-queued switches, IEEE/ACM Trans. Networking 7,
1999, section II.
"""

from __future__ import annotations

from mapping.network.counters import DRAINING, FLIT_HOPS, FREE, NONE
from mapping.network.events import pop, put_arrival, put_credit
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

__all__ = ["allocate_switch"]


@kernel_part
def allocate_switch(setup: Setup, t: Tables, router: int, proposal: IntArray, now: int) -> None:
    """Send at most one flit from each input and to each output of a router.

    Parameters
    ----------
    proposal : int64 array, shape (5, 6)
        Scratch, -1 before and after: [input, output] branch; column 5, outputs that grant to the
        input, as a set of bits.
    """
    width = setup.lanes * setup.branches
    sides = t.router[router, ROUTER.ready]
    if sides == 0:
        return
    if sides & (sides - 1) == 0:
        side = 0
        while sides >> side > 1:
            side += 1
        port = t.inputs[router, side]
        ready, place = t.in_port[port, IN_PORT.ready], 0
        if ready & (ready - 1) == 0:  # one flit wants to leave: nothing to arbitrate
            while ready >> place > 1:
                place += 1
            branch = port * width + place
            if t.out_port[t.branch[branch, BRANCH.out_port], OUT_PORT.busy_until] <= now:
                _match(setup, t, branch, port, side, router, now)
            return
    outputs = inputs = 0
    for side in range(5):
        if not sides >> side & 1:
            continue
        port = t.inputs[router, side]
        ready, turn = t.in_port[port, IN_PORT.ready], t.in_port[port, IN_PORT.lane_turn]
        # Those at or after the turn come first.
        for part in (ready >> turn << turn, ready & ((1 << turn) - 1)):
            place = 0
            while part:
                if part & 1:
                    branch = port * width + place
                    out, out_port = t.branch[branch, BRANCH.side], t.branch[branch, BRANCH.out_port]
                    free = t.out_port[out_port, OUT_PORT.busy_until] <= now
                    if free and proposal[side, out] < 0:
                        proposal[side, out] = branch
                        outputs |= 1 << out
                        inputs |= 1 << side
                part >>= 1
                place += 1
    if inputs == 0:
        return
    for out in range(5):
        if outputs >> out & 1:
            out_port = 4 * router + out if out < 4 else 5 * setup.routers + router
            side = t.out_port[out_port, OUT_PORT.turn]
            while proposal[side, out] < 0:
                side = 0 if side == 4 else side + 1
            if proposal[side, 5] < 0:
                proposal[side, 5] = 0
            proposal[side, 5] |= 1 << out
    for side in range(5):
        if inputs >> side & 1:
            granted = proposal[side, 5]
            if granted > 0:
                port = t.inputs[router, side]
                out = t.in_port[port, IN_PORT.turn]
                while granted >> out & 1 == 0:
                    out = 0 if out == 4 else out + 1
                _match(setup, t, proposal[side, out], port, side, router, now)
            for out in range(6):
                proposal[side, out] = -1


@kernel_part
def _match(
    setup: Setup, t: Tables, branch: int, port: int, side: int, router: int, now: int
) -> None:
    """Move the pointers of both ends on, and send a flit."""
    out, out_port = t.branch[branch, BRANCH.side], t.branch[branch, BRANCH.out_port]
    place = t.branch[branch, BRANCH.place]
    t.in_port[port, IN_PORT.turn] = 0 if out == 4 else out + 1
    t.out_port[out_port, OUT_PORT.turn] = 0 if side == 4 else side + 1
    last = place + 1 == setup.lanes * setup.branches
    t.in_port[port, IN_PORT.lane_turn] = 0 if last else place + 1
    buffer = t.branch[branch, BRANCH.buffer]
    channel, out_port = t.branch[branch, BRANCH.out], t.branch[branch, BRANCH.out_port]
    at = t.buffer[buffer, BUFFER.oldest] + t.branch[branch, BRANCH.ahead]
    if at >= setup.depth:
        at -= setup.depth
    flit = t.flit[buffer * setup.depth + at]
    slot = t.branch[branch, BRANCH.slot]
    t.channel[channel, CHANNEL.credits] -= 1
    t.out_port[out_port, OUT_PORT.flits] += 1
    if out_port < 4 * setup.routers:
        t.counters[FLIT_HOPS] += 1
        t.packet[slot, PACKET.hops] += flit >> 1 & 1
    else:
        put_credit(setup, t, channel, now + setup.out_credit_delay)
    t.out_port[out_port, OUT_PORT.packets] += flit >> 1 & 1
    put_arrival(
        setup, t, channel, 4 * slot + (flit & 3), now + t.out_port[out_port, OUT_PORT.flit_delay]
    )
    t.out_port[out_port, OUT_PORT.busy_until] = now + t.out_port[out_port, OUT_PORT.cycles]
    t.branch[branch, BRANCH.ahead] += 1
    more = (
        t.branch[branch, BRANCH.ahead] < t.buffer[buffer, BUFFER.flits]
        and t.channel[channel, CHANNEL.credits] > 0
    )
    if flit & 1:
        t.branch[branch, BRANCH.state] = NONE
        t.router[router, ROUTER.unsettled] = 1
        if setup.empty_first:
            t.channel[channel, CHANNEL.owner] = DRAINING
        else:
            t.channel[channel, CHANNEL.owner] = FREE
            t.out_port[out_port, OUT_PORT.free] |= t.channel[channel, CHANNEL.mask]
        more = False
    if not more:
        t.in_port[port, IN_PORT.ready] &= ~(1 << place)
        if t.in_port[port, IN_PORT.ready] == 0:
            t.router[router, ROUTER.ready] &= ~(1 << t.in_port[port, IN_PORT.side])
    pop(setup, t, buffer, now)
