"""All states of a tiny network by brute force: can packets block each other? Shares nothing.

A packet is longer than all buffers together and so holds every channel from its injection to its
head until its head is delivered (wormhole switching, channels that are given to one packet at a
time). Any set of packets of the given flows may be on its way at once; each state is the set of
their paths so far. A packet whose head is at its target leaves, with all that it holds; others
take any channel offered that nobody holds. The state is a deadlock if some packets are there and
none of them can ever move again.

Letting go of the last channels early (short packets) is covered with `hold`: a packet holds only
its last `hold` channels.
"""

from __future__ import annotations


def find_deadlock_state(mesh, function, flows, *, hold, most_packets=4):
    """A set of (target, path) in which nobody can move, or None if no such state is reachable.

    States are explored depth first from the empty network; a packet in it is (target, path held,
    router of the head).
    """
    start = frozenset()
    seen = {start}
    waiting = [start]
    while waiting:
        state = waiting.pop()
        taken = {channel for _, path, _ in state for channel in path}
        moved = False
        following = []
        for packet in state:
            target, path, router = packet
            rest = state - {packet}
            if router == target:
                moved = True
                following.append(rest)
                continue
            for channel in function.next_channels(mesh, router, path[-1], target):
                if channel not in taken:
                    moved = True
                    longer = (*path, channel)[-hold:]
                    following.append(rest | {(target, longer, mesh.link_target(channel.link))})
        if state and not moved:
            return state
        if len(state) < most_packets:
            for source, target in flows:
                for channel in function.next_channels(mesh, source, None, target):
                    if channel not in taken:
                        packet = (target, (channel,), mesh.link_target(channel.link))
                        following.append(state | {packet})
        for new in following:
            if new not in seen:
                seen.add(new)
                waiting.append(new)
    return None
