"""Coarser pictures of a hypergraph: vertices that share heavy nets become one.

Each vertex is rated against its neighbours by sum over common nets of weight / (pins - 1), the
heavy-edge rating of multilevel partitioners, and joins the best one whose cluster has room.

References
----------
G. Karypis, V. Kumar, Multilevel k-way hypergraph partitioning, VLSI Design 11(3), 2000;
S. Schlag et al., High-quality hypergraph partitioning, ACM J. Exp. Algorithmics 27, 2023.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.kernel_part import kernel
from mapping.partition._level import BoolArray, FloatArray, Int32Array, Level
from mapping.partition._order import sort_ascending
from simulator.ragged import row_starts

__all__ = ["clusters", "contract"]


def clusters(
    level: Level,
    order: IntArray,
    restrict: Int32Array,
    most: IntArray,
    target: int,
    budget: int,
    cluster_of: Int32Array,
) -> int:
    """Join vertices until `target` clusters are left; returns how many there are.

    `restrict`: vertices of unlike value are never joined (-1 everywhere lets all). `most`: limits
    of a cluster in neurons, axons (not used) and synapses. `budget` bounds the pins looked at for
    each vertex; nets are then sampled evenly.
    """
    n = level.neurons.size
    parent = np.arange(n)
    _join(
        level,
        order,
        restrict,
        most,
        target,
        budget,
        parent,
        level.neurons.copy(),
        level.synapses.copy(),
        np.zeros(n),
        np.empty(n, dtype=np.int64),
        np.zeros(n, dtype=np.bool_),
    )
    # A root may have joined nobody else's cluster after others joined it: one step suffices.
    roots, first, number = np.unique(parent, return_index=True, return_inverse=True)
    # Clusters are numbered as the vertices meet them.
    rank = np.empty(roots.size, dtype=np.int32)
    rank[np.argsort(first)] = np.arange(roots.size)
    cluster_of[:] = rank[number]
    return int(roots.size)


@kernel
def _join(
    level: Level,
    order: IntArray,
    restrict: Int32Array,
    most: IntArray,
    target: int,
    budget: int,
    parent: IntArray,
    size: IntArray,
    memory: IntArray,
    rating: FloatArray,
    seen: IntArray,
    joined: BoolArray,
) -> None:
    """Fill `parent`; `size` and `memory` are the neurons and synapses of each cluster so far."""
    n = level.neurons.size
    left = n
    for i in range(n):
        if left <= target:
            break
        v = order[i]
        if joined[v]:
            continue
        root = v
        work = 0
        for k in range(level.vert_start[v], level.vert_start[v + 1]):
            e = level.vert_net[k]
            work += level.net_start[e + 1] - level.net_start[e] + 1
        for k in range(level.own_start[v], level.own_start[v + 1]):
            e = level.own_net[k]
            work += level.net_start[e + 1] - level.net_start[e]
        step = max(1, -(-work // budget))
        n_seen = 0
        degree_in = level.vert_start[v + 1] - level.vert_start[v]
        degree = degree_in + level.own_start[v + 1] - level.own_start[v]
        for k in range((i % step), degree, step):
            if k < degree_in:
                e = level.vert_net[level.vert_start[v] + k]
            else:
                e = level.own_net[level.own_start[v] + k - degree_in]
            pins = level.net_start[e + 1] - level.net_start[e]
            share = (level.weight[e] + 1e-9) / max(pins, 1)
            first, last = level.net_start[e], level.net_start[e + 1]
            stride = max(1, (last - first) // 1024)
            for j in range(first, last, stride):
                u = parent[level.net_pin[j]]
                if rating[u] == 0.0:
                    seen[n_seen] = u
                    n_seen += 1
                rating[u] += share
            if level.source[e] >= 0:
                u = parent[level.source[e]]
                if rating[u] == 0.0:
                    seen[n_seen] = u
                    n_seen += 1
                rating[u] += share
        best, best_score = -1, 0.0
        for j in range(n_seen):
            u = seen[j]
            score = rating[u] / size[u]
            rating[u] = 0.0
            if (
                u == root
                or restrict[u] != restrict[v]
                or level.group[u] != level.group[v]
                or level.population[u] != level.population[v]
                or level.pinning[u] != level.pinning[v]
                or size[u] + size[root] > most[0]
                or memory[u] + memory[root] > most[2]
            ):
                continue
            if score > best_score:
                best, best_score = u, score
        if best >= 0:
            parent[root] = best
            size[best] += size[root]
            memory[best] += memory[root]
            joined[root] = True
            joined[best] = True
            left -= 1


def contract(level: Level, cluster_of: Int32Array, n_clusters: int) -> Level:
    """The level whose vertices are the clusters; nets that have become equal are summed."""
    m = level.source.size
    net_start = np.zeros(m + 1, dtype=np.int64)
    net_pin = np.empty(level.net_pin.size, dtype=np.int32)
    source = np.empty(m, dtype=np.int32)
    weight = np.zeros(m)
    axons = np.zeros(m, dtype=np.int64)
    self_axons = np.zeros(m, dtype=np.int64)
    table_size = 1 << max(3, (2 * m - 1).bit_length())
    kept = int(
        _contract_nets(
            level,
            cluster_of,
            np.full(n_clusters, -1, dtype=np.int64),
            np.full(table_size, -1, dtype=np.int64),
            net_start,
            net_pin,
            source,
            weight,
            axons,
            self_axons,
        )
    )
    first = np.empty(n_clusters, dtype=np.int64)
    first[cluster_of[::-1]] = np.arange(cluster_of.size)[::-1]

    def total(values: NDArray[np.generic]) -> NDArray[np.float64]:
        sums = np.bincount(cluster_of, weights=values, minlength=n_clusters)
        return sums.astype(np.float64)

    net_start = net_start[: kept + 1].copy()
    net_pin = net_pin[: net_start[-1]].copy()
    source = source[:kept].copy()
    vert_start, vert_net = rows_by_value(net_start, net_pin, n_clusters)
    own_start, own_net = rows_by_value(np.arange(kept + 1, dtype=np.int64), source, n_clusters)
    return Level(
        net_start=net_start,
        net_pin=net_pin,
        source=source,
        weight=weight[:kept].copy(),
        axons=axons[:kept].copy(),
        self_axons=self_axons[:kept].copy(),
        vert_start=vert_start,
        vert_net=vert_net,
        own_start=own_start,
        own_net=own_net,
        neurons=total(level.neurons).astype(np.int64),
        synapses=total(level.synapses).astype(np.int64),
        population=level.population[first],
        group=level.group[first],
        pinning=level.pinning[first],
        spikes=total(level.spikes),
    )


def rows_by_value(start: IntArray, value: Int32Array, n: int) -> tuple[IntArray, Int32Array]:
    """Compressed rows turned round: for each value in 0..n - 1, the rows that hold it."""
    counts = np.bincount(value[value >= 0], minlength=n)
    out_start = row_starts(counts)
    rows = np.empty(int(out_start[n]), dtype=np.int32)
    _turn_rows(start, value, out_start[:-1].copy(), rows)
    return out_start, rows


@kernel
def _turn_rows(start: IntArray, value: Int32Array, cursor: IntArray, rows: Int32Array) -> None:
    """Fill `rows`; `cursor` is where those of each value begin."""
    for row in range(start.size - 1):
        for k in range(start[row], start[row + 1]):
            v = value[k]
            if v >= 0:
                rows[cursor[v]] = row
                cursor[v] += 1


@kernel
def _contract_nets(
    level: Level,
    cluster_of: Int32Array,
    seen: IntArray,
    table: IntArray,
    net_start: IntArray,
    net_pin: Int32Array,
    source: Int32Array,
    weight: FloatArray,
    axons: IntArray,
    self_axons: IntArray,
) -> int:
    """How many nets are left. `seen` (n_clusters) and `table` (a power of 2) hold -1 at first."""
    m = level.source.size
    mask = table.size - 1
    kept = 0
    for e in range(m):
        home = cluster_of[level.source[e]] if level.source[e] >= 0 else -1
        begin = net_start[kept]
        end = begin
        inside = False
        for k in range(level.net_start[e], level.net_start[e + 1]):
            u = cluster_of[level.net_pin[k]]
            if u == home:
                inside = True
            elif seen[u] != e:
                seen[u] = e
                net_pin[end] = u
                end += 1
        at_home = level.axons[e] if inside else level.self_axons[e]
        if end == begin and at_home == 0:
            continue
        sort_ascending(net_pin, begin, end)
        # FNV-1a over the pins and the source: equal nets meet in one slot of the table.
        key = np.uint64(14695981039346656037)
        prime = np.uint64(1099511628211)
        key = (key ^ np.uint64(home + 1)) * prime
        for k in range(begin, end):
            key = (key ^ np.uint64(net_pin[k])) * prime
        slot = np.int64((key ^ (key >> np.uint64(29))) & np.uint64(mask))
        while True:
            twin = table[slot]
            if twin < 0:
                table[slot] = kept
                source[kept] = home
                weight[kept] = level.weight[e]
                axons[kept] = level.axons[e]
                self_axons[kept] = at_home
                kept += 1
                net_start[kept] = end
                break
            same = source[twin] == home and net_start[twin + 1] - net_start[twin] == end - begin
            if same:
                for k in range(end - begin):
                    if net_pin[net_start[twin] + k] != net_pin[begin + k]:
                        same = False
                        break
            if same:
                weight[twin] += level.weight[e]
                axons[twin] += level.axons[e]
                self_axons[twin] += at_home
                break
            slot = (slot + 1) & mask
    return kept
