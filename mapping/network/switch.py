"""Switch allocation and traversal: which flits leave a router in a cycle, one round of iSLIP.

Every input proposes for each output one of its branches (those in turn first), every output grants
to the first input at or after its pointer, every input accepts the first output at or after its
own; a match moves both pointers and the input's turn among its branches on by one.

N. McKeown, The iSLIP scheduling algorithm for input-queued switches, IEEE/ACM Trans. Networking 7,
1999, section II.
"""

from __future__ import annotations

from mapping.kernel_part import kernel_part
from mapping.network import layout as at
from mapping.network.bits import in_turn, lowest_bit
from mapping.network.buffers import begin_next, credit_delay, pop_sent, ring_place
from mapping.network.calendar import put_arrival, put_credit, put_end
from mapping.network.setup import Setup
from mapping.network.tables import Tables

__all__ = ["allocate_switch"]

_FIVE = 31


@kernel_part
def allocate_switch(setup: Setup, t: Tables, router: int, now: int) -> None:
    """Send at most one flit from each input and to each output of a router."""
    w = t.words
    width = setup.lanes * setup.branches
    whole = (1 << width) - 1
    sides = w[router + at.READY_SIDES] | 0
    proposed = 0  # eight bits for each output: the inputs that have something for it
    while sides:
        side = lowest_bit(sides)
        sides &= sides - 1
        in_side = router + at.IN_SIDES + side * at.IN_WORDS
        ready, turn = w[in_side + at.READY] | 0, w[in_side + at.LANE_TURN] | 0
        # Turned around so that the one whose turn it is comes first.
        around = (ready >> turn | ready << (width - turn)) & whole
        asked = 0
        while around:
            place = lowest_bit(around) + turn
            around &= around - 1
            branch = (
                router + t.branch_at[side * at.SIDE + (place - width if place >= width else place)]
            )
            out = int(w[branch + at.TO])
            if asked >> out & 1:
                continue
            if setup.slow_links:
                out_side = router + at.OUT_SIDES + out * at.OUT_WORDS
                if t.wide[(out_side + at.BUSY_UNTIL) >> 1] > now:
                    continue
            asked |= 1 << out
            proposed |= 1 << (8 * out + side)
            t.proposals[5 * side + out] = branch
    granted = 0  # eight bits for each input: the outputs that take it
    while proposed:
        out = lowest_bit(proposed) >> 3
        sides = proposed >> (8 * out) & _FIVE
        proposed ^= sides << (8 * out)
        turn = w[router + at.OUT_SIDES + out * at.OUT_WORDS + at.IN_TURN]
        granted |= 1 << (8 * in_turn(sides, turn) + out)
    while granted:
        side = lowest_bit(granted) >> 3
        outs = granted >> (8 * side) & _FIVE
        granted ^= outs << (8 * side)
        out = in_turn(outs, w[router + at.IN_SIDES + side * at.IN_WORDS + at.OUT_TURN])
        _send(setup, t, router, t.proposals[5 * side + out], side, out, now)


@kernel_part
def _send(setup: Setup, t: Tables, router: int, branch: int, side: int, out: int, now: int) -> None:
    """Move the pointers of both ends on, and send a flit."""
    w = t.words
    in_side = router + at.IN_SIDES + side * at.IN_WORDS
    out_side = router + at.OUT_SIDES + out * at.OUT_WORDS
    place = w[branch + at.PLACE]
    w[in_side + at.OUT_TURN] = 0 if out == 4 else out + 1
    w[out_side + at.IN_TURN] = 0 if side == 4 else side + 1
    w[in_side + at.LANE_TURN] = 0 if place + 1 == setup.lanes * setup.branches else place + 1
    lane, channel = w[branch + at.LANE], w[branch + at.OUT]
    flit = w[ring_place(setup, t, lane, w[branch + at.AHEAD])] | 0
    if setup.branches > 1:
        flit = (w[branch + at.SLOT] << 2) | (flit & 3)
    left = int(w[channel + at.CREDITS]) - 1
    w[channel + at.CREDITS] = left
    t.wide[(out_side + at.SENT_FLITS) >> 1] += 1
    t.wide[(out_side + at.SENT_PACKETS) >> 1] += flit >> 1 & 1
    arrival = now + w[out_side + at.DELAY]
    if out < 4:
        put_arrival(setup, t, w[channel + at.DOWNSTREAM], flit, arrival)
    else:
        put_credit(setup, t, channel, now + setup.out_credit_delay)
        if flit & 1:
            put_end(setup, t, router, flit >> 2, arrival)
    if setup.slow_links:
        t.wide[(out_side + at.BUSY_UNTIL) >> 1] = now + w[out_side + at.CYCLES]
    tail = flit & 1
    if tail:
        w[branch + at.DOING] = at.NONE
        w[router + at.UNSETTLED] = 1
        if setup.empty_first:
            w[channel + at.OWNER] = at.DRAINING
        else:
            w[channel + at.OWNER] = at.NOBODY
            w[out_side + at.FREE] |= w[channel + at.CHANNEL_BIT]
    if setup.branches > 1:
        w[branch + at.AHEAD] += 1
        more = w[branch + at.AHEAD] < w[lane + at.FLITS]
        pop_sent(setup, t, lane, now)
    else:
        after = w[lane + at.OLDEST] + 1
        w[lane + at.OLDEST] = 0 if after == setup.depth else after
        behind = int(w[lane + at.FLITS]) - 1
        w[lane + at.FLITS] = behind
        more = behind > 0
        t.wide[(in_side + at.HELD) >> 1] += now
        delay = credit_delay(setup, w[in_side + at.IN_BIT])
        put_credit(setup, t, w[lane + at.UPSTREAM], now + delay)
        if tail:
            begin_next(setup, t, lane, now)
    if tail or left == 0 or not more:
        ready = w[in_side + at.READY] ^ (1 << place)
        w[in_side + at.READY] = ready
        if ready == 0:
            w[router + at.READY_SIDES] ^= w[in_side + at.IN_BIT]
