"""The packet network: closed forms without load, conservation, and runs that are cut anywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mapping.mesh import Mesh
from mapping.network import Deliveries, PacketNetwork, Pipeline
from simulator.errors import MappingError


def bernoulli(
    rate: float, n: int, cycles: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    cycle, source = np.nonzero(rng.random((cycles, n)) < rate)
    return cycle, source, rng.integers(0, n, cycle.size)


@pytest.mark.parametrize("routing_stage", [0, 1])
@pytest.mark.parametrize("flits", [1, 5])
def test_a_packet_alone_takes_the_sum_of_its_stages(routing_stage: int, flits: int) -> None:
    mesh = Mesh(8, 8)
    network = PacketNetwork(mesh, "xy", pipeline=Pipeline(routing=routing_stage))
    for source, target in ((0, 0), (0, 63), (63, 0), (17, 20), (40, 8)):
        network.inject(network.now, source, target, flits)
        arrived = network.drain()
        hops = int(mesh.distances[source, target])
        assert arrived.latency.tolist() == [2 + (4 + routing_stage) * (hops + 1) + flits - 1]
        assert arrived.hops.tolist() == [hops]


@settings(max_examples=15, deadline=None)
@given(
    width=st.integers(1, 4),
    height=st.integers(1, 4),
    lanes=st.integers(1, 3),
    depth=st.integers(1, 4),
    flits=st.integers(1, 4),
    load=st.floats(0.05, 1.0),
    drop_after=st.none() | st.integers(0, 20),
    queue=st.none() | st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_no_packet_is_lost_or_made(
    width: int, height: int, lanes: int, depth: int, flits: int, load: float,
    drop_after: int | None, queue: int | None, seed: int,
) -> None:  # fmt: skip
    mesh = Mesh(width, height)
    network = PacketNetwork(
        mesh, "xy", lanes=lanes, buffer_flits=depth, drop_after=drop_after, queue_packets=queue
    )
    cycle, source, target = bernoulli(load / flits, mesh.n_cores, 60, seed)
    network.inject(cycle, source, target, flits, np.arange(cycle.size))
    tags: list[int] = []
    for now in range(1, 90):
        tags += network.run(now).tag.tolist()
        counts = network.counts
        created = int(np.searchsorted(cycle, now))
        assert counts.injected + counts.refused == created
        assert counts.injected == counts.delivered + counts.dropped + counts.in_flight
        assert counts.delivered == len(tags)
        assert network.occupied_slots == counts.in_flight
    tags += network.drain().tag.tolist()
    counts = network.counts
    assert counts.in_flight == 0
    assert len(set(tags)) == len(tags) == counts.delivered
    if drop_after is None and queue is None:
        assert sorted(tags) == list(range(cycle.size))


def test_a_run_can_be_cut_anywhere() -> None:
    mesh = Mesh(4, 4)
    cycle, source, target = bernoulli(0.2, 16, 200, 3)

    def whole(cuts: list[int]) -> list[list[int]]:
        network = PacketNetwork(mesh, "xy", lanes=2)
        network.inject(cycle, source, target, 2, np.arange(cycle.size))
        parts: list[Deliveries] = [network.run(cut) for cut in cuts] + [network.drain()]
        return [row for part in parts for row in np.column_stack(part).tolist()]

    assert whole([1, 2, 3, 50, 51, 170]) == whole([400])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"source": 16}, "source[0] = 16; it must be 0..15"),
        ({"target": -1}, "target[0] = -1; it must be 0..15"),
        ({"flits": 0}, "flits[0] = 0; it must be 1.."),
        ({"cycle": 4}, "cycle[0] = 4; it must be >= 5"),
        ({"cycle": 5.5}, "cycle[0] = 5.5; expected an integer"),
        ({"source": [0, 1], "target": [1, 2, 3]}, "different lengths"),
    ],
)
def test_bad_packets_are_refused(arguments: dict[str, object], text: str) -> None:
    network = PacketNetwork(Mesh(4, 4))
    network.run(5)
    good: dict[str, object] = {"cycle": 5, "source": 0, "target": 1, "flits": 1}
    with pytest.raises(MappingError) as caught:
        network.inject(**{**good, **arguments})  # type: ignore[arg-type]
    assert text in str(caught.value)
