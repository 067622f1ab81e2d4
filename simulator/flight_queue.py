"""Spikes in flight along rows of synapses that differ in delay: a ring of buckets of time.

A spike is one entry, wherever it is along its row (sorted by delay): it lies in the bucket of its
next arrival.  Buckets are lists of chunks of entries in no order.  When the time of a bucket comes
it is *opened*: every entry in it is moved along its row past all synapses that are reached within
the bucket, which are put on a list, and goes to the bucket of the synapse after those; then the
list is sorted.  What is sent off into the open bucket itself, having next to no delay, goes to a
binary heap beside the list.  A bucket is made to hold a few hundred arrivals; entries that lie
farther ahead than the ring reaches are put as far ahead as there are buckets, and on from there.
"""

from __future__ import annotations

import numpy as np

from simulator.arrays import EngineState, NetworkArrays, Records
from simulator.inner import register_jitable
from simulator.prefetch import prefetch_entry

__all__ = [
    "CHUNK",
    "MOST_A_MS",
    "WANTED",
    "WIDEST",
    "flight_push",
    "flight_room",
    "next_flight",
    "open_bucket_of_flights",
    "synapse_delay",
    "take_flight",
]

CHUNK = 16  # entries
WANTED = 512  # arrivals in a bucket; three times as many, or as few, and buckets are made anew
WIDEST = 16.0  # buckets in the longest delay, at least: most of what is sent off goes beyond one
MOST_A_MS = 1e9  # buckets; their numbers are integers for as long as anybody simulates
_REVIEW = 8192  # arrivals and buckets, at least, between two looks at how many there were
_SLOTS_EACH = 4  # of time an arrival: the fewer share one, the fewer branches go unforeseen
_FEW = 16  # arrivals that are sorted by insertion straight away
_FOREVER = 1 << 62
_MANY = 1 << 15  # entries whose rows hardly lie in a cache
_LINE = 16  # delays or targets in a line of a cache


@register_jitable(forceinline=True)
def synapse_delay(net: NetworkArrays, q: int, s: int) -> float:
    """Delay (ms) of synapse ``s`` of projection ``q``, whose synapses differ in delay."""
    if net.projs[q].short:
        return float(net.short_delay[net.projs[q].delay_at + s])
    return float(net.syn_delay[net.projs[q].delay_at + s])


@register_jitable(forceinline=True)
def fetch_delay(net, q, s):
    """Have the delay of a synapse fetched."""
    if net.projs[q].short:
        prefetch_entry(net.short_delay, net.projs[q].delay_at + s)
    else:
        prefetch_entry(net.syn_delay, net.projs[q].delay_at + s)


@register_jitable(forceinline=True)
def _before(a, b):
    """Order of two arrivals: time, projection, emission, neuron, synapse."""
    if a.t != b.t:
        return bool(a.t < b.t)
    if a.q != b.q:
        return bool(a.q < b.q)
    if a.s != b.s:
        return bool(a.s < b.s)
    if a.row != b.row:
        return bool(a.row < b.row)
    return bool(a.k < b.k)


@register_jitable(forceinline=True)
def flight_room(st: EngineState, n: int) -> bool:
    """Whether so many spikes more find room, whichever buckets and rows they go to."""
    queue = st.queue[0]
    chunks = st.next_chunk.size - st.buckets.size - 2  # full ones; a bucket has one that is not
    return bool(
        not st.engine[0].crowded
        and queue.n_bucketed + queue.n_late + n <= chunks * CHUNK
        and queue.n_late + n < st.late.size
    )


@register_jitable
def _put(st, b, emitted, row, k):
    """Put an entry into bucket ``b``, which lies ahead, or as far ahead as there are buckets."""
    queue = st.queue[0]
    mask = st.buckets.size - 1
    bucket = st.buckets[min(b, queue.current + mask) & mask]
    if bucket.n == CHUNK:
        chunk = queue.free
        queue.free = st.next_chunk[chunk]
        st.next_chunk[chunk] = bucket.head
        bucket.head, bucket.n = chunk, 0
    entry = st.flights[int(bucket.head) * CHUNK + bucket.n]
    entry.s, entry.row, entry.k = emitted, row, k
    bucket.n += 1
    queue.n_bucketed += 1


@register_jitable
def flight_push(st: EngineState, t: float, emitted: float, q: int, row: int, k: int) -> None:
    """Add a spike whose next arrival, at ``t``, is by synapse ``k`` of row ``row`` of ``row_ptr``.

    The caller has seen to the room.
    """
    queue = st.queue[0]
    if queue.n_bucketed == 0:  # nothing keeps us from skipping the buckets of the past
        queue.current = max(queue.current, int(emitted * queue.per_ms))
    b = int(t * queue.per_ms)
    if b > queue.current:
        _put(st, b, emitted, row, k)
        return
    child = queue.n_late
    queue.n_late += 1
    late = st.late
    entry = late[child]
    entry.t, entry.s, entry.q, entry.row, entry.k, entry.n = t, emitted, q, row, k, 0
    while child > 0:
        parent = (child - 1) // 2
        if not _before(late[child], late[parent]):
            break
        late[-1] = late[child]
        late[child] = late[parent]
        late[parent] = late[-1]
        child = parent


@register_jitable
def _sink(st):
    """Restore the order of the heap after its top was changed."""
    late, n, parent = st.late, st.queue[0].n_late, 0
    while True:
        child = 2 * parent + 1
        if child >= n:
            break
        if child + 1 < n and _before(late[child + 1], late[child]):
            child += 1
        if not _before(late[child], late[parent]):
            break
        late[-1] = late[child]
        late[child] = late[parent]
        late[parent] = late[-1]
        parent = child


@register_jitable(forceinline=True)
def next_flight(st: EngineState) -> float:
    """Time of the earliest arrival of the open bucket; infinity if there is none."""
    queue, t = st.queue[0], np.inf
    if queue.open_at < queue.n_open:
        t = st.arrivals[0, queue.open_at].t
    if queue.n_late > 0:
        t = min(t, st.late[0].t)
    return t


@register_jitable
def take_flight(net: NetworkArrays, st: EngineState, t: float, taken: Records) -> bool:
    """Take the first row that arrives at ``t``, as projection, presynaptic neuron and synapses."""
    queue = st.queue[0]
    listed = queue.open_at < queue.n_open and st.arrivals[0, queue.open_at].t == t
    if queue.n_late > 0 and st.late[0].t == t:
        top = st.late[0]
        if not listed or _before(top, st.arrivals[0, queue.open_at]):
            q, row, k, emitted = top.q, int(top.row), top.k, top.s
            first, end = net.row_ptr[row], net.row_ptr[row + 1]
            s, arrival = first + k, t
            while arrival == t:
                s += 1
                if s == end:
                    break
                arrival = emitted + synapse_delay(net, q, s)
            taken.q, taken.lo, taken.hi, taken.s, taken.row = q, first + k, s, emitted, row
            taken.i = (row - net.projs[q].row_at) // net.projs[q].stride
            b = int(arrival * queue.per_ms)
            if s < end and b <= queue.current:
                top.t, top.k = arrival, s - first
            else:
                queue.n_late -= 1
                st.late[0] = st.late[queue.n_late]
                if s < end:
                    _put(st, b, emitted, row, s - first)
            _sink(st)
            return True
    if not listed:
        return False
    run = st.arrivals[0, queue.open_at]
    queue.open_at += 1
    taken.q, taken.lo, taken.s, taken.row = run.q, net.row_ptr[run.row] + run.k, run.s, run.row
    taken.hi = taken.lo + run.n
    taken.i = (run.row - net.projs[run.q].row_at) // net.projs[run.q].stride
    return True


@register_jitable(forceinline=True)
def _projection_of(net, row):
    """Whose row it is: the last projection whose rows begin at or before it."""
    lo, hi = 0, net.projs.size - 1
    while lo < hi:
        middle = (lo + hi + 1) // 2
        if net.projs[middle].row_at <= row:
            lo = middle
        else:
            hi = middle - 1
    return lo


@register_jitable
def _sort(st, n):
    """Sort the ``n`` arrivals of the bucket being opened: by slots of time, then by exchanges.

    Where many share a slot, arriving at one time perhaps, exchanges begin over longer distances
    (Shell 1959).
    """
    found, ordered = st.arrivals[1], st.arrivals[0]
    per_ms, current, most = st.queue[0].per_ms, st.queue[0].current, 1
    if n > _FEW:
        slots = 2 * _FEW
        while slots < _SLOTS_EACH * n and 2 * slots <= st.slots.size:
            slots *= 2
        counts = st.slots[:slots]
        counts[:] = 0
        for a in range(n):
            x = int((found[a].t * per_ms - current) * slots)
            counts[min(max(x, 0), slots - 1)] += 1
        total = 0
        for x in range(slots):
            here = int(counts[x])
            most = max(most, here)
            counts[x] = total
            total += here
        for a in range(n):
            x = int((found[a].t * per_ms - current) * slots)
            x = min(max(x, 0), slots - 1)
            ordered[counts[x]] = found[a]
            counts[x] += 1
    else:
        for a in range(n):
            ordered[a] = found[a]
    gap, spare = most if most > _FEW else 1, found[0]
    while True:
        for a in range(gap, n):
            if _before(ordered[a], ordered[a - gap]):
                found[0] = ordered[a]
                b = a
                while b >= gap and _before(spare, ordered[b - gap]):
                    ordered[b] = ordered[b - gap]
                    b -= gap
                ordered[b] = found[0]
        if gap == 1:
            break
        gap = max(1, 4 * gap // 9)


@register_jitable
def open_bucket_of_flights(net: NetworkArrays, st: EngineState, bound: float) -> bool:
    """If the open bucket is used up, open the next in which anything arrives.

    Buckets later than that of time ``bound`` (ms) stay closed: what is sent off at that time may
    arrive before them.  False if the list of arrivals has to be longer or the buckets of another
    width; to be called again when that is done.
    """
    queue = st.queue[0]
    if queue.open_at < queue.n_open or queue.n_late > 0 or queue.n_bucketed + queue.n_raw == 0:
        return True
    mask, per_ms, n = st.buckets.size - 1, queue.per_ms, queue.n_raw
    if n == 0 and queue.opened + queue.moved > _REVIEW + 4 * queue.n_bucketed:
        wanted = max(per_ms * queue.moved / (queue.opened * WANTED), WIDEST / queue.longest)
        wanted = min(wanted, MOST_A_MS)
        short = mask < queue.longest * per_ms and queue.n_bucketed > 32 * mask
        if short or wanted > 3.0 * per_ms or wanted < per_ms / 3.0:
            return False
        queue.opened = queue.moved = 0
    last = int(_FOREVER)
    if bound * per_ms < _FOREVER:
        last = int(bound * per_ms)
    found, cap, current, q = st.arrivals[1], st.arrivals.shape[1], queue.current, -1
    row_at = row_end = at = post = 0
    short, many, fetched = False, queue.n_bucketed > _MANY, -1
    while True:
        bucket = st.buckets[current & mask]
        if bucket.head < 0:
            if n > 0:
                break
            if current >= last or queue.n_bucketed == 0:
                return True
            current += 1
            queue.current = current
            queue.opened += 1
            continue
        chunk = int(bucket.head)
        if many and bucket.n != fetched:
            for a in range(chunk * CHUNK, chunk * CHUNK + bucket.n):
                prefetch_entry(net.row_ptr, int(st.flights[a].row))
            for a in range(chunk * CHUNK, chunk * CHUNK + bucket.n):
                if row_at <= st.flights[a].row < row_end:
                    fetch_delay(net, q, net.row_ptr[st.flights[a].row] + st.flights[a].k)
        fetched = bucket.n - 1
        entry = st.flights[chunk * CHUNK + fetched]
        emitted, row, k = entry.s, int(entry.row), int(entry.k)
        if q < 0 or not row_at <= row < row_end:
            q = _projection_of(net, row)
            proj = net.projs[q]
            row_at, row_end = proj.row_at, int(_FOREVER)
            if q + 1 < net.projs.size:
                row_end = net.projs[q + 1].row_at
            at, post, short = proj.delay_at, proj.post_at, bool(proj.short)
        first = net.row_ptr[row]
        s, end = first + k, net.row_ptr[row + 1]
        b, mine = current, n
        while s < end:
            # Until the row is looked at again, others push it out of the caches.
            if short:
                t = emitted + net.short_delay[at + s]
                prefetch_entry(net.short_delay, at + s + _LINE)
            else:
                t = emitted + net.syn_delay[at + s]
                prefetch_entry(net.syn_delay, at + s + _LINE)
            b = int(t * per_ms)
            if b > current:
                break
            prefetch_entry(net.syn_post, post + s)
            if n > mine and found[n - 1].t == t:
                found[n - 1].n += 1
            elif n == cap:
                entry.k = s - first
                queue.n_raw = n
                return False
            else:
                run = found[n]
                run.t, run.s, run.q, run.row, run.k, run.n = t, emitted, q, row, s - first, 1
                n += 1
            s += 1
        bucket.n -= 1
        if bucket.n == 0:
            bucket.head, bucket.n = st.next_chunk[chunk], CHUNK
            st.next_chunk[chunk] = queue.free
            queue.free = chunk
        queue.n_bucketed -= 1
        if s < end:
            _put(st, b, emitted, row, s - first)
    _sort(st, n)
    queue.n_open, queue.open_at, queue.n_raw = n, 0, 0
    queue.moved += n
    return True
