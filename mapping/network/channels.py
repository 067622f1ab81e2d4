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

from mapping.kernel_part import kernel_part, rare_part
from mapping.network import layout as at
from mapping.network.bits import in_turn, lowest_bit
from mapping.network.buffers import drop
from mapping.network.counters import RECENT
from mapping.network.setup import Setup
from mapping.network.tables import ASK_WORDS, Tables
from mapping.network.wake import make_ready

__all__ = ["BRANCH", "CHANNEL", "allocate_channels", "drop_overdue", "take_channel"]

# What `Tables.asks` holds of each asker: its branch, its number among the inputs of the router,
# the side it wants to leave by, the lanes it asks for, those granted to it, and the channel that
# it took, 0 if none.
BRANCH, ASKER, OUT_SIDE, WANTED, GRANTED, CHANNEL = 0, 1, 2, 3, 4, 5

_BITS = 0x7FFFFFFF


@kernel_part
def allocate_channels(setup: Setup, t: Tables, router: int) -> int:
    """One round in one router, written into `Tables.asks`; returns the number of askers.

    Nothing is taken yet: see `take_channel`.
    """
    w, ask = t.words, t.asks
    need = 1 if setup.drop_after >= 0 else 0
    sides = w[router + at.WAITING_SIDES] | 0
    n = seen = shared = 0
    while sides:
        side = lowest_bit(sides)
        sides &= sides - 1
        waiting = w[router + at.IN_SIDES + side * at.IN_WORDS + at.WAITING] | 0
        while waiting:
            asker = side * at.SIDE + lowest_bit(waiting)
            waiting &= waiting - 1
            branch = router + t.branch_at[asker]
            if setup.cut_through:
                slot = w[branch + at.SLOT]
                need = t.road[slot * at.ROAD_WORDS + at.LENGTH] | 0
            n_offers = w[branch + at.N_OFFERS]
            if n_offers == 0:
                out_side = 4
                free = _free_lanes(setup, t, router, 4, (1 << setup.lanes) - 1, need)
            elif n_offers == 1:
                offer = w[branch + at.OFFERS] | 0
                out_side = offer & 3
                free = _free_lanes(setup, t, router, out_side, offer >> 2, need)
            else:
                chosen = _best_offer(setup, t, router, branch, need)
                out_side, free = chosen & 3, chosen >> 2
            if free:
                row = n * ASK_WORDS
                ask[row + BRANCH], ask[row + ASKER], ask[row + OUT_SIDE] = branch, asker, out_side
                ask[row + WANTED] = ask[row + GRANTED] = free
                shared |= seen & 1 << out_side
                seen |= 1 << out_side
                n += 1
    if shared:
        _arbitrate(setup, t, router, shared, n)
    taken = 0
    for row in range(0, n * ASK_WORDS, ASK_WORDS):
        ask[row + CHANNEL] = 0
        if ask[row + GRANTED]:
            _accept(setup, t, router, row)
            taken += 1
    # Who lost to another asks again; who found nothing free waits until something is.
    w[router + at.UNSETTLED] = 1 if taken < n or setup.drop_after >= 0 else 0
    return n


@kernel_part
def _free_lanes(setup: Setup, t: Tables, router: int, out_side: int, lanes: int, need: int) -> int:
    """Those of a set of lanes of an out-side that a packet may be given, as a set of bits."""
    w = t.words
    side = router + at.OUT_SIDES + out_side * at.OUT_WORDS
    free = (w[side + at.FREE] | 0) & lanes
    if free and need > 0:
        first = w[side + at.FIRST_CHANNEL]
        for lane in range(setup.lanes):
            if free >> lane & 1 and w[first + lane * at.CHANNEL_WORDS + at.CREDITS] < need:
                free ^= 1 << lane
    return int(free)


@rare_part
def _best_offer(setup: Setup, t: Tables, router: int, branch: int, need: int) -> int:
    """Of several offers the one with the most credits, as ``lanes << 2 | side``; 0 if none."""
    w = t.words
    serial = t.packet[w[branch + at.SLOT] * at.PACKET_WORDS + at.SERIAL]
    best, best_credits, ties = 0, -1, 0
    for k in range(w[branch + at.N_OFFERS]):
        offer = w[branch + at.OFFERS + k] | 0
        side = offer & 3
        free = _free_lanes(setup, t, router, side, offer >> 2, need)
        if free == 0:
            continue
        first = w[router + at.OUT_SIDES + side * at.OUT_WORDS + at.FIRST_CHANNEL]
        credits = 0
        for lane in range(setup.lanes):
            if free >> lane & 1:
                credits += w[first + lane * at.CHANNEL_WORDS + at.CREDITS]
        if credits > best_credits:
            best, best_credits, ties = free << 2 | side, credits, 1
        elif credits == best_credits:
            ties += 1
            key = _mixed(_mixed(setup.seed) ^ (serial & _BITS))
            if _mixed(key ^ (5 * w[router + at.NUMBER] + k + 1)) % ties == 0:
                best = free << 2 | side
    return best


@kernel_part
def _mixed(x: int) -> int:
    """31 bits without visible structure, from 31 bits; no product passes 63 bits."""
    x = ((x ^ (x >> 16)) * 0x45D9F3B) & _BITS
    x = ((x ^ (x >> 16)) * 0x45D9F3B) & _BITS
    return x ^ (x >> 16)


@kernel_part
def _arbitrate(setup: Setup, t: Tables, router: int, shared: int, n: int) -> None:
    """Every lane of the sides that several ask for chooses one of its askers."""
    w, ask = t.words, t.asks
    end = n * ASK_WORDS
    while shared:
        out_side = lowest_bit(shared)
        shared &= shared - 1
        wanted = 0
        for row in range(0, end, ASK_WORDS):
            if ask[row + OUT_SIDE] == out_side:
                wanted |= ask[row + WANTED]
                ask[row + GRANTED] = 0
        first = w[router + at.OUT_SIDES + out_side * at.OUT_WORDS + at.FIRST_CHANNEL]
        while wanted:
            lane = lowest_bit(wanted)
            wanted &= wanted - 1
            turn = w[first + lane * at.CHANNEL_WORDS + at.TURN]
            lowest = later = -1  # askers are in the order of their numbers
            for row in range(0, end, ASK_WORDS):
                if ask[row + OUT_SIDE] == out_side and ask[row + WANTED] >> lane & 1:
                    if lowest < 0:
                        lowest = row
                    if ask[row + ASKER] >= turn:
                        later = row
                        break
            ask[(later if later >= 0 else lowest) + GRANTED] |= 1 << lane


@kernel_part
def _accept(setup: Setup, t: Tables, router: int, row: int) -> None:
    """An asker takes one of the lanes that are granted to it; the pointers of both move on."""
    w, ask = t.words, t.asks
    branch, side = ask[row + BRANCH], int(ask[row + OUT_SIDE])
    lanes = ask[row + GRANTED] | 0
    # A pointer at another side, or behind the last lane of this one, is at none of these.
    turn = int(w[branch + at.WISH]) - side * at.SIDE
    lane = in_turn(lanes, turn if 0 < turn < at.SIDE else 0)
    first = w[router + at.OUT_SIDES + side * at.OUT_WORDS + at.FIRST_CHANNEL]
    channel = first + lane * at.CHANNEL_WORDS
    w[channel + at.TURN] = ask[row + ASKER] + 1
    w[branch + at.WISH] = side * at.SIDE + lane + 1
    ask[row + CHANNEL] = channel


@kernel_part
def _stop_waiting(t: Tables, branch: int, side: int) -> None:
    """Take a branch off those that ask for channels."""
    w = t.words
    left = w[side + at.WAITING] ^ (1 << w[branch + at.PLACE])
    w[side + at.WAITING] = left
    if left == 0:
        w[w[side + at.IN_ROUTER] + at.WAITING_SIDES] ^= w[side + at.IN_BIT]


@kernel_part
def take_channel(setup: Setup, t: Tables, row: int) -> None:
    """Give an asker the channel that it took."""
    w = t.words
    branch, channel, side = t.asks[row + BRANCH], t.asks[row + CHANNEL], t.asks[row + OUT_SIDE]
    lane = w[branch + at.LANE]
    in_side = w[lane + at.IN_SIDE]
    _stop_waiting(t, branch, in_side)
    w[channel + at.OWNER] = branch
    w[w[channel + at.OF_SIDE] + at.FREE] ^= w[channel + at.CHANNEL_BIT]
    w[branch + at.DOING] = at.SENDS
    w[branch + at.OUT] = channel
    w[branch + at.TO] = side
    if w[channel + at.CREDITS] > 0 and w[branch + at.AHEAD] < w[lane + at.FLITS]:
        make_ready(t, branch, in_side)


@rare_part
def drop_overdue(setup: Setup, t: Tables, router: int, now: int) -> bool:
    """Drop what waited longer than allowed; whether anything still waits."""
    w = t.words
    width = setup.lanes * setup.branches
    still = False
    for asker in range(5 * width):
        side, place = router + at.IN_SIDES + asker // width * at.IN_WORDS, asker % width
        branch = router + t.branch_at[asker // width * at.SIDE + place]
        if w[side + at.WAITING] >> place & 1 == 0:
            continue
        if (now - w[w[branch + at.LANE] + at.SINCE]) & RECENT >= setup.drop_after:
            _stop_waiting(t, branch, side)
            w[branch + at.DOING] = at.NONE
            drop(setup, t, branch, now)
        else:
            still = True
    return still
