"""The queue of spikes in flight (:mod:`simulator.flight_queue`): making, enlarging, reading it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.arrays import (
    ARRIVAL,
    BUCKET,
    FLIGHT,
    FLYING,
    QUEUE,
    EngineState,
    NetworkArrays,
    Records,
    records,
)
from simulator.flight_queue import CHUNK, MOST_A_MS, WANTED, WIDEST

__all__ = [
    "QUEUE_FIELDS",
    "enlarged",
    "in_flight",
    "joined",
    "new_queue",
    "with_room_for",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# What the queue consists of in the state of an engine.
QUEUE_FIELDS = ("queue", "buckets", "flights", "next_chunk", "arrivals", "slots", "late")
_AT_FIRST = 64.0  # buckets in the longest delay
_ARRIVALS = 1024  # of the open bucket, at first
_SLOTS = 4096
_GROWTH = 1.25  # of the room for entries
_BUCKETS, _ENTRIES_A_BUCKET = 1024, 16  # so many may always be had; beyond, if there are entries


class _Entries(NamedTuple):
    """Spikes on their way: emission (ms), row of ``row_ptr``, next synapse of the row."""

    s: Floats
    row: Ints
    k: Ints


def new_queue(
    net: NetworkArrays, flying: Records | None = None, now: float = 0.0
) -> dict[str, Records]:
    """A queue, in the fields of :data:`QUEUE_FIELDS`.

    Parameters
    ----------
    net
        The network, or the part of it that one worker has.
    flying
        Spikes in flight, shape (n,), of type FLYING; what they reach up to ``now`` (ms) is behind
        them.  None without.
    """
    senders = (net.pops.hi - net.pops.lo)[net.projs.pre]
    queue = records(1, QUEUE)
    queue.most = int(senders[np.isnan(net.projs.delay)].sum())
    queue.longest = max(net.syn_delay.max(initial=0.0), net.short_delay.max(initial=0.0))
    entries = _Entries(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))
    if flying is not None:
        entries = _on_their_rows(net, flying, now)
    if not queue[0].longest > 0.0:
        queue.longest = 1.0
    per_ms = max(_AT_FIRST, entries.s.size / WANTED) / float(queue[0].longest)
    queue.per_ms = min(per_ms, MOST_A_MS)
    most = int(queue[0].most)
    return {
        "queue": queue,
        **_in_buckets(net, queue, entries, now),
        "arrivals": records((2, _ARRIVALS if most else 1), ARRIVAL),
        "slots": np.zeros(_SLOTS if most else 1, np.int32),
        "late": records(most + 2, ARRIVAL),
    }


def with_room_for(st: EngineState, n: int) -> EngineState:
    """The same state with room for ``n`` more spikes in flight, and some more after them."""
    queue = st.queue[0]
    if queue.n_late + n >= st.late.size:
        late = records(2 * (int(queue.n_late) + n + 1), ARRIVAL)
        late[: queue.n_late] = st.late[: queue.n_late]
        st = st._replace(late=late)
    entries = int(queue.n_bucketed + queue.n_late) + n
    before = st.next_chunk.size
    if _chunks(entries, st.buckets.size) > before:
        after = _chunks(_GROWTH * entries, st.buckets.size)
        flights, following = records(after * CHUNK, FLIGHT), np.empty(after, np.int32)
        flights[: st.flights.size], following[:before] = st.flights, st.next_chunk
        following[before:] = np.arange(before + 1, after + 1)
        following[-1] = queue.free
        st.queue.free = before
        st = st._replace(flights=flights, next_chunk=following)
    return st


def enlarged(net: NetworkArrays, st: EngineState) -> EngineState:
    """The same state with more of what the queue is short of: room, or buckets of another width."""
    queue = st.queue[0]
    most = st.arrivals.shape[1]
    if queue.n_raw == most:
        arrivals = records((2, 2 * most), ARRIVAL)
        arrivals[:, :most] = st.arrivals
        return st._replace(arrivals=arrivals)
    larger = with_room_for(st, int(queue.most))
    if larger is not st:
        return larger
    # The open bucket is used up: all entries are in closed ones.
    renewed = st.queue.copy()
    wanted = float(queue.per_ms * queue.moved / (queue.opened * WANTED))
    renewed.per_ms = min(max(wanted, WIDEST / float(queue.longest)), MOST_A_MS)
    renewed.opened = renewed.moved = 0
    parts = _in_buckets(net, renewed, _bucketed(st), float(st.engine[0].now))
    return st._replace(queue=renewed, **parts)


def in_flight(net: NetworkArrays, st: EngineState) -> Records:
    """All spikes in flight between two instants, of type FLYING, in the order of their fields."""
    queue = st.queue[0]
    lists = [
        st.late[: queue.n_late],
        st.arrivals[0, queue.open_at : queue.n_open],
        st.arrivals[1, : queue.n_raw],
    ]
    parts = [_bucketed(st), *(_Entries(a.s, a.row, a.k) for a in lists)]
    s, row, k = (np.concatenate([part[f] for part in parts]) for f in range(3))
    order = np.lexsort((k, row, s))
    s, row, k = s[order], row[order], k[order]
    # Each spike is known by the first synapse that it has yet to reach; two of one time and neuron
    # have that one in common.
    new = np.ones(s.size, np.bool_)
    new[1:] = (s[1:] != s[:-1]) | (row[1:] != row[:-1])
    first = k[np.flatnonzero(new)][np.cumsum(new) - 1] if s.size else k
    s, row = s[k == first], row[k == first]
    flying = records(s.size, FLYING)
    flying.s, flying.q = s, _projections(net, row)
    flying.i = (row - net.projs.row_at[flying.q]) // _pieces_in_one(net)[flying.q]
    return flying[np.lexsort((flying.i, flying.q, flying.s))].view(np.recarray)


def joined(pieces: list[Records]) -> Records:
    """The spikes that any of several workers has in flight."""
    kinds, numbers = [], []
    for piece in pieces:
        kind, number = np.unique(np.asarray(piece), return_counts=True)
        kinds.append(kind)
        numbers.append(number)
    every, which = np.unique(np.concatenate(kinds), return_inverse=True)
    most = np.zeros(every.size, np.int64)
    np.maximum.at(most, which, np.concatenate(numbers))
    return np.repeat(every, most).view(np.recarray)


def _chunks(entries: float, buckets: int) -> int:
    """How many are needed: each bucket may have one that is not full, and one is being emptied."""
    return math.ceil(entries / CHUNK) + buckets + 2


def _in_buckets(
    net: NetworkArrays, queue: Records, entries: _Entries, now: float
) -> dict[str, Records]:
    """Buckets of width 1 / ``queue.per_ms`` with these entries, all of which arrive after ``now``
    or at it; ``queue`` gets to know of it."""
    n, per_ms = entries.s.size, float(queue[0].per_ms)
    wanted = min(queue[0].longest * per_ms + 2.0, max(_BUCKETS, n / _ENTRIES_A_BUCKET))
    if not queue[0].most:
        wanted = 1.0
    size = 1 << math.ceil(math.log2(wanted))
    queue.current = math.floor(now * per_ms) - 1
    first = net.row_ptr[entries.row] + entries.k
    times = _arrivals(net, entries.s, _projections(net, entries.row), first)
    number = np.minimum((times * per_ms).astype(np.int64), queue[0].current + size - 1)
    order = np.argsort(number, kind="stable")
    used, start, count = np.unique(number[order], return_index=True, return_counts=True)
    chunks = -(-count // CHUNK)
    base = np.cumsum(chunks) - chunks
    within = np.arange(n) - np.repeat(start, count)
    place = (np.repeat(base, count) + within // CHUNK) * CHUNK + within % CHUNK
    total = _chunks(n + int(queue[0].most), size)
    flights, following = records(total * CHUNK, FLIGHT), np.arange(-1, total - 1, dtype=np.int32)
    for name, values in zip(_Entries._fields, entries, strict=True):
        flights[name][place] = values[order]
    following[base] = -1
    taken = int(chunks.sum())
    following[taken:] = np.arange(taken + 1, total + 1)
    following[-1] = -1
    buckets = records(size, BUCKET)
    buckets.head, buckets.n = -1, CHUNK
    buckets.head[used & (size - 1)] = base + chunks - 1
    buckets.n[used & (size - 1)] = count - CHUNK * (chunks - 1)
    queue.free, queue.n_bucketed = taken, n
    return {"buckets": buckets, "flights": flights, "next_chunk": following}


def _bucketed(st: EngineState) -> _Entries:
    """The entries of all buckets."""
    places = []
    used = np.flatnonzero(st.buckets.head >= 0)
    chunk, fill = st.buckets.head[used].astype(np.int64), st.buckets.n[used].astype(np.int64)
    while chunk.size:
        within = np.arange(int(fill.sum())) - np.repeat(np.cumsum(fill) - fill, fill)
        places.append(np.repeat(chunk * CHUNK, fill) + within)
        chunk = st.next_chunk[chunk].astype(np.int64)
        chunk = chunk[chunk >= 0]
        fill = np.full(chunk.size, CHUNK)
    entries = st.flights[np.concatenate(places)] if places else st.flights[:0]
    return _Entries(entries.s, entries.row.astype(np.int64), entries.k.astype(np.int64))


def _on_their_rows(net: NetworkArrays, flying: Records, now: float) -> _Entries:
    """Spikes in flight, each at the next synapse that it reaches after ``now``, if there is one."""
    row = net.projs.row_at[flying.q] + flying.i * _pieces_in_one(net)[flying.q]
    first, end = net.row_ptr[row], net.row_ptr[row + 1]
    lo, hi = first.copy(), end.copy()
    while np.any(lo < hi):
        middle = (lo + hi) // 2
        reached = np.zeros(lo.size, np.bool_)
        open_ = lo < hi
        reached[open_] = _arrivals(net, flying.s[open_], flying.q[open_], middle[open_]) <= now
        lo = np.where(open_ & reached, middle + 1, lo)
        hi = np.where(open_ & ~reached, middle, hi)
    ahead = lo < end
    return _Entries(flying.s[ahead], row[ahead], (lo - first)[ahead])


def _pieces_in_one(net: NetworkArrays) -> Ints:
    """How many pieces of a row one spike in flight stands for, by projection: all, but where each
    travels for itself and ``FLYING.i`` numbers the pieces."""
    return np.where(net.projs.spread, 1, net.projs.stride)


def _projections(net: NetworkArrays, row: Ints) -> Ints:
    """The projections that rows belong to."""
    return np.searchsorted(net.projs.row_at, row, side="right") - 1


def _arrivals(net: NetworkArrays, s: Floats, q: Ints, synapse: Ints) -> Floats:
    """When spikes of times ``s`` (ms) arrive by synapses of projections ``q``."""
    at, short = net.projs.delay_at[q] + synapse, net.projs.short[q].astype(np.bool_)
    times = np.array(s)
    times[short] += net.short_delay[at[short]]
    times[~short] += net.syn_delay[at[~short]]
    return times
