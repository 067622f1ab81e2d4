import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import Mesh, metrics
from simulator.errors import MappingError

packets = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 12), st.integers(0, 9)), min_size=1, max_size=25
)


def columns(rows):
    group, start, latency = (np.array(column) for column in zip(*rows, strict=True))
    return start, start + latency, group


@given(packets)
def test_latency_statistics_against_a_sorted_list(rows):
    start, end, _ = columns(rows)
    found = metrics.latency_statistics(start, end)
    latencies = sorted((end - start).tolist())
    assert found.n_packets == len(latencies)
    assert found.mean == pytest.approx(sum(latencies) / len(latencies))
    for share, value in ((0.5, found.p50), (0.99, found.p99)):
        not_above = [latency for latency in latencies if latency <= value]
        assert len(not_above) >= share * len(latencies)
        below = [latency for latency in latencies if latency < value]
        assert len(below) < share * len(latencies)
    assert found.maximum == latencies[-1]


@given(packets)
def test_disorder_and_distortion_by_brute_force(rows):
    start, end, group = columns(rows)
    n = len(rows)
    early = [
        any(group[j] == group[k] and start[j] < start[k] and end[k] < end[j] for j in range(n))
        for k in range(n)
    ]
    assert metrics.spike_disorder(start, end, group) == sum(early) / n
    changes = []
    for g in set(group.tolist()):
        own = sorted((start[k], end[k]) for k in range(n) if group[k] == g)
        for (s0, e0), (s1, e1) in pairwise(own):
            changes.append(abs((e1 - e0) - (s1 - s0)))
    found = metrics.interval_distortion(start, end, group)
    assert found == pytest.approx(np.mean(changes)) if changes else math.isnan(found)


@given(packets, st.integers(0, 5))
def test_a_constant_latency_changes_neither_intervals_nor_order(rows, latency):
    start, _, group = columns(rows)
    assert metrics.spike_disorder(start, start + latency, group) == 0.0
    distortion = metrics.interval_distortion(start, start + latency, group)
    assert distortion == 0.0 or math.isnan(distortion)


def test_delivery_by_hand():
    # Sent at 0, 10, 20; the second is held up for 15, so that the third overtakes it.
    sent, arrived = [0.0, 10.0, 20.0], [5.0, 30.0, 25.0]
    assert metrics.spike_disorder(sent, arrived) == 1 / 3
    assert metrics.interval_distortion(sent, arrived) == (15 + 15) / 2
    assert metrics.latency_statistics(sent, arrived) == (3, 10.0, 5.0, 20.0, 20.0)
    assert metrics.spike_disorder(sent, arrived, [0, 1, 0]) == 0.0
    assert metrics.throughput(30, 100.0, 3) == 0.1


def test_nothing_delivered_gives_no_mean():
    found = metrics.latency_statistics([], [])
    assert found.n_packets == 0
    assert math.isnan(found.mean)
    assert math.isnan(metrics.spike_disorder([], []))
    assert math.isnan(metrics.interval_distortion([1.0], [2.0]))


def test_links_are_busy_for_their_flits_times_their_cycles():
    mesh = Mesh(2, 1, chip_width=1, board_link_cycles=4)
    flits = np.zeros(mesh.n_link_ids)
    flits[mesh.link(0, "E")] = 5
    share = metrics.link_busy_share(flits, mesh, cycles=40)
    assert share[mesh.link(0, "E")] == 0.5
    assert share.sum() == 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.latency_statistics([0.0], [1.0, 2.0]), r"shape \(1,\) and delivered \(2,"),
        (lambda: metrics.latency_statistics([math.nan], [1.0]), r"injected\[0\] = nan; leave out"),
        (lambda: metrics.latency_statistics([0, 3], [1, 2]), r"packet 1 is delivered at 2, before"),
        (lambda: metrics.spike_disorder([0], [1], [0, 1]), "destination has 2 entries for 1 packe"),
        (lambda: metrics.interval_distortion([0], [1], [0.5]), "expected an integer"),
        (lambda: metrics.throughput(-1, 1.0, 1), "throughput of -1 packets"),
        (lambda: metrics.throughput(1, 0.0, 1), "a duration > 0"),
        (lambda: metrics.link_busy_share([1.0], Mesh(2, 1), 5), r"flits has shape \(1,\)"),
        (lambda: metrics.link_busy_share(np.zeros(8), Mesh(2, 1), 0), "cycles = 0"),
    ],
)
def test_impossible_times_are_refused(call, message):
    with pytest.raises(MappingError, match=message):
        call()
