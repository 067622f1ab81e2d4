"""All states of a tiny wormhole network, flit by flit: can it come to a standstill? Shares nothing.

Each channel has a buffer for `depth` flits, first in, first out; packets have `flits` flits. A
head at the front of a buffer may be given any channel offered to it that no packet owns; it may
also be left waiting, however long (any arbitration at all). A packet owns a channel from then on
until its tail has entered it. Any core may begin any packet of the flows at any time, several at
once. Flits at the front of a buffer at their target leave.

A flit that has a channel with room ahead moves at once: it would have to move before anything is
at a standstill, along the same way, and until then it is only in the way of others. So the states
need no identities of packets, and only two things are left to choose: which head is given which
channel, and which packet begins. `eager=False` leaves every move to choice, to check just that.
"""

from __future__ import annotations

from typing import NamedTuple

from mapping import Channel

HEAD, TAIL = 2, 1


class Buffer(NamedTuple):
    """A channel: flits (4 * target + HEAD + TAIL) in its buffer and where they go on.

    `out` is the channel given to the packet in front, -1 for none; `owned` whether a tail is
    still to come; `left` flits of a packet for `target` are still at the core before it.
    """

    flits: tuple[int, ...] = ()
    out: int = -1
    owned: bool = False
    left: int = 0
    target: int = 0


EMPTY = Buffer()


class TinyNetwork:
    """The transition system of one relation."""

    def __init__(
        self, mesh, function, flows, *, depth, flits, empty_first=False, cut_through=False
    ):
        self.mesh, self.function, self.flows = mesh, function, list(flows)
        self.depth, self.flits = depth, flits
        self.empty_first, self.cut_through = empty_first, cut_through
        self.vcs = function.virtual_channels
        self.numbers = [link * self.vcs + vc for link in mesh.links for vc in range(self.vcs)]
        self.place = {number: k for k, number in enumerate(self.numbers)}
        self.end = [mesh.link_target(number // self.vcs) for number in self.numbers]
        self.known = {}

    def offered(self, router, held, target):
        """Channels of the relation; `held` is a channel or -1."""
        key = (router, held, target)
        if key not in self.known:
            came_by = None if held < 0 else self.channel(held)
            found = self.function.next_channels(self.mesh, router, came_by, target)
            self.known[key] = [self.place[link * self.vcs + vc] for link, vc in found]
        return self.known[key]

    def channel(self, place):
        return Channel(*divmod(self.numbers[place], self.vcs))

    def free(self, state, channel):
        """Whether a head may be given it."""
        buffer = state[channel]
        if buffer.owned or (self.empty_first and buffer.flits):
            return False
        return not self.cut_through or self.depth - len(buffer.flits) >= self.flits

    def moves(self, state):
        """States after one flit moved by one place."""
        for c, buffer in enumerate(state):
            if buffer.flits:
                flit, rest = buffer.flits[0], buffer.flits[1:]
                new = list(state)
                if flit >> 2 == self.end[c]:
                    new[c] = buffer._replace(flits=rest)
                elif buffer.out >= 0 and len(state[buffer.out].flits) < self.depth:
                    last = bool(flit & TAIL)
                    new[c] = buffer._replace(flits=rest, out=-1 if last else buffer.out)
                    ahead = state[buffer.out]
                    new[buffer.out] = ahead._replace(
                        flits=(*ahead.flits, flit), owned=ahead.owned and not last
                    )
                else:
                    continue
                yield tuple(new)
        for c, buffer in enumerate(state):
            if buffer.left and len(buffer.flits) < self.depth:
                last = buffer.left == 1
                flit = 4 * buffer.target + HEAD * (buffer.left == self.flits) + TAIL * last
                new = list(state)
                new[c] = Buffer(
                    (*buffer.flits, flit),
                    buffer.out,
                    not last,
                    buffer.left - 1,
                    0 if last else buffer.target,
                )
                yield tuple(new)

    def settled(self, state):
        """After all moves that need no choice."""
        while (following := next(self.moves(state), None)) is not None:
            state = following
        return state

    def grants(self, state):
        """States after a waiting head was given a channel."""
        for c, buffer in enumerate(state):
            if not buffer.flits or buffer.out >= 0 or not buffer.flits[0] & HEAD:
                continue
            target = buffer.flits[0] >> 2
            if target == self.end[c]:
                continue
            for channel in self.offered(self.end[c], c, target):
                if self.free(state, channel):
                    new = list(state)
                    new[c] = buffer._replace(out=channel)
                    new[channel] = state[channel]._replace(owned=True)
                    yield tuple(new)

    def beginnings(self, state):
        """States after a core began a packet."""
        for source, target in self.flows:
            for channel in self.offered(source, -1, target):
                if self.free(state, channel):
                    new = list(state)
                    new[channel] = state[channel]._replace(
                        owned=True, left=self.flits, target=target
                    )
                    yield tuple(new)

    def standstill(self, *, eager=True, most_states=1_000_000):
        """A reachable state in which no packet can ever move again, if there is one.

        Returns
        -------
        (state or None, int)
            And the number of states met. OverflowError if there are more than `most_states`.
        """
        start = (EMPTY,) * len(self.numbers)
        seen = {start}
        waiting = [start]
        while waiting:
            state = waiting.pop()
            on = list(self.grants(state))
            if not eager:
                on += self.moves(state)
            if not on and state != start:
                return state, len(seen)
            on += self.beginnings(state)
            for new in map(self.settled, on) if eager else on:
                if new not in seen:
                    seen.add(new)
                    waiting.append(new)
            if len(seen) > most_states:
                raise OverflowError(f"more than {most_states} states")
        return None, len(seen)
