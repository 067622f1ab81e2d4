"""Spikes as packets whose latency acts back: none, that of an empty mesh, that of a full one."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

from encoders import SpikeTimes
from mapping import Mesh
from mapping.cosimulation import CoSimulation
from mapping.multicast import multicast_tree
from mapping.network import PacketNetwork, Pipeline, packet_trees
from neurons import LIFExp
from simulator import (
    MappingError,
    Network,
    Simulation,
    TrialRecord,
    TrialRule,
    all_to_all,
    explicit,
)
from simulator.incoming import row_targets
from tests.simulator.support import assert_same_spikes, everything, through_a_file
from tests.simulator.test_spread import UNTIL, network
from tests.uncompiled import uncompiled_python

MESH = Mesh(2, 2)
compiled = pytest.mark.slow  # they are run uncompiled by the last test


def homes_of(net: Network, mesh: Mesh = MESH, seed: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, mesh.n_cores, p.size) for name, p in net.populations.items()}


def simulated(per_ms: float, until: float = UNTIL, **options: Any) -> CoSimulation:
    net = network()
    one = CoSimulation(net, MESH, homes_of(net), cycles_per_ms=per_ms, **options)
    one.run(until)
    return one


@compiled
def test_infinite_bandwidth_is_the_plain_run_bit_for_bit() -> None:
    plain = Simulation(network())
    plain.run(UNTIL)
    for multicast in (None, "neighbour_exploring"):
        meshed = simulated(math.inf, multicast=multicast)
        assert_same_spikes(everything(meshed), everything(plain))
        for name in plain.network.projections:
            np.testing.assert_array_equal(meshed.weights(name), plain.weights(name))
        journeys = meshed.journeys()
        assert journeys.neuron.size
        np.testing.assert_array_equal(journeys.arrived, journeys.emitted)


@compiled
def test_alone_on_the_mesh_a_spike_takes_the_time_of_an_empty_one() -> None:
    """Two neurons three hops apart, three spikes far from each other."""
    mesh, per_ms = Mesh(4, 1), 64.0
    net = Network()
    u = net.population("u", 1, SpikeTimes([1.0, 5.3, 9.001], [0, 0, 0]))
    v = net.population("v", 1, LIFExp(tau_m=10, tau_exc=3))
    net.projection(u, v, all_to_all(), 0.1, 0.25)
    meshed = CoSimulation(net, mesh, {"u": [0], "v": [3]}, cycles_per_ms=per_ms, flits=2)
    meshed.run(20.0)
    journeys = meshed.journeys()
    created = np.floor(np.array([1.0, 5.3, 9.001]) * per_ms) + 1
    latency = Pipeline().zero_load_latency(hops=3, flits=2)
    np.testing.assert_array_equal(journeys.arrived, (created + latency) / per_ms)
    np.testing.assert_array_equal(journeys.core, [3, 3, 3])
    # The neuron feels it at that time and after the delay of the synapse.
    t = float(journeys.arrived[0]) + 0.25
    before = CoSimulation(net, mesh, {"u": [0], "v": [3]}, cycles_per_ms=per_ms, flits=2)
    before.run(math.nextafter(t, 0.0))
    assert before.deliveries == 0
    before.run(t)
    assert before.deliveries == 1


@compiled
def test_each_branch_arrives_when_it_arrives() -> None:
    """One spike for cores one, two and three hops away; the tree forks at the two on its way. A
    neuron that sends to nobody spikes at the same time."""
    mesh, per_ms = Mesh(4, 1), 16.0
    net = Network()
    u = net.population("u", 2, SpikeTimes([1.0, 1.0], [0, 1]))
    v = net.population("v", 3, LIFExp(tau_m=10, tau_exc=3))
    net.projection(u, v, explicit([0, 0, 0], [0, 1, 2]), 0.1, 0.25)
    homes = {"u": [0, 0], "v": [1, 2, 3]}
    meshed = CoSimulation(
        net, mesh, homes, cycles_per_ms=per_ms, multicast="xy_tree", buffer_flits=4
    )
    meshed.run(20.0)
    assert meshed.packet_network is not None
    assert meshed.packet_network.packets_injected == 1
    journeys = meshed.journeys()
    latency = dict(
        zip(journeys.core.tolist(), (per_ms * journeys.arrived - 17).tolist(), strict=True)
    )
    for hops, forks in ((1, 1), (2, 2), (3, 2)):
        alone = Pipeline().zero_load_latency(hops=hops, flits=1)
        assert 0 <= latency[hops] - alone <= forks
    # The nearest neuron feels it while the others wait.
    first = float(journeys.arrived.min()) + 0.25
    before = CoSimulation(net, mesh, homes, cycles_per_ms=per_ms, multicast="xy_tree")
    before.run(first)
    assert before.deliveries == 1


@compiled
@pytest.mark.parametrize(
    ("per_ms", "multicast"),
    [(3.0, None), (20.0, None), (1000.0, None), (3.0, "dual_path"), (20.0, "xy_tree")],
)
def test_the_packets_are_those_of_the_spikes(per_ms: float, multicast: str | None) -> None:
    """All spikes of the run, put into a network of packets at once, arrive when they did."""
    meshed = simulated(per_ms, multicast=multicast)
    net, homes = meshed.network, homes_of(meshed.network)
    sizes = [pop.size for pop in net.populations.values()]
    first = dict(zip(net.populations, np.cumsum([0, *sizes[:-1]]), strict=True))
    targets: dict[int, set[int]] = {}
    for proj in Simulation(net).network.projections.values():
        reached = connected(net, proj.name)
        for i, j in reached:
            core = int(homes[proj.post.name][j])
            if core != homes[proj.pre.name][i]:
                targets.setdefault(first[proj.pre.name] + i, set()).add(core)
    sent = []
    for name in net.populations:
        for t, i in zip(*meshed.spikes(name), strict=True):
            g = int(first[name] + i)
            created = next(c for c in range(int(t * per_ms), int(t * per_ms) + 3) if c / per_ms > t)
            if g in targets:
                sent.append((created, int(homes[name][i]), sorted(targets[g]), g))
    packets = PacketNetwork(MESH, multicast=multicast is not None)
    for created, source, cores, g in sorted(sent, key=lambda one: one[0]):
        if multicast is None:
            packets.inject(created, source, cores, 1, g)
        else:
            trees = packet_trees(multicast_tree(MESH, multicast, source, cores))
            packets.inject_tree(created, packets.add_trees(trees), 1, g)
    there = packets.run(math.floor(UNTIL * per_ms) + 1)
    journeys = meshed.journeys()
    expected = sorted(zip(there.tag.tolist(), there.target.tolist(), strict=True))
    got = sorted(zip(journeys.neuron.tolist(), journeys.core.tolist(), strict=True))
    assert len(got) > 50
    assert got == expected
    assert np.all(journeys.arrived > journeys.emitted)
    used = {(tree.source, tree.targets) for tree in meshed.trees}
    assert used >= {(source, tuple(cores)) for _, source, cores, _ in sent if multicast}
    if per_ms >= 20.0:  # on an emptier mesh the order within a cycle does not matter
        np.testing.assert_allclose(
            np.sort(journeys.arrived), np.sort(there.cycle / per_ms), rtol=0, atol=1e-12
        )


def connected(net: Network, name: str) -> list[tuple[int, int]]:
    """Pairs of neurons with a synapse."""
    simulation = Simulation(net)
    proj = net.projections[name]
    arrays = simulation.compiled.arrays
    row = arrays.projs[list(net.projections).index(name)]
    if proj.connector.rows is None:
        skip = proj.pre is proj.post and not proj.connector.self_connections
        return [
            (i, j)
            for i in range(proj.pre.size)
            for j in range(proj.post.size)
            if not (skip and i == j)
        ]
    first = arrays.row_ptr[row.row_at : row.row_at + proj.pre.size + 1]
    targets = row_targets(arrays, row)
    return [
        (i, int(targets[s])) for i in range(proj.pre.size) for s in range(first[i], first[i + 1])
    ]


@compiled
def test_less_bandwidth_changes_the_spikes() -> None:
    plain, slow = simulated(math.inf), simulated(2.0)
    late = slow.journeys()
    assert np.mean(late.arrived - late.emitted) > 2.0
    assert not np.array_equal(plain.spikes("e")[0], slow.spikes("e")[0])


@compiled
@pytest.mark.parametrize("multicast", [None, "dual_path"])
def test_pieces_and_a_restored_state_give_the_same_bits(multicast: str | None) -> None:
    whole = simulated(15.0, multicast=multicast)
    pieces = simulated(15.0, 3.3, multicast=multicast)
    pieces.run(14.3)
    saved = through_a_file(pieces.save())
    pieces.run(UNTIL)
    assert_same_spikes(everything(pieces), everything(whole))
    for a, b in zip(pieces.journeys(), whole.journeys(), strict=True):
        np.testing.assert_array_equal(a, b)
    again = simulated(15.0, 8.0, multicast=multicast)
    again.restore(saved)
    again.run(UNTIL)
    for name, (times, neurons) in everything(whole).items():
        later = times > 14.3
        got_times, got_neurons = again.spikes(name)
        now = got_times > 14.3
        np.testing.assert_array_equal(got_times[now], times[later])
        np.testing.assert_array_equal(got_neurons[now], neurons[later])


class LateArrivals(TrialRule):
    """Adds to each weight the label times the sum of its arrivals' times."""

    seen: ClassVar[list[TrialRecord]] = []

    class Parameters(NamedTuple):
        scale: float = 0.01

    @staticmethod
    def on_feedback(record: TrialRecord, label: float, neuron: Any, p: Any) -> Any:
        LateArrivals.seen.append(record)
        sums = np.bincount(record.synapse, record.times, minlength=record.weights.size)
        return record.weights + p.scale * label * sums


STARTS = (0.0, 2.0, 6.5, 6.5, 11.0, 20.0)  # ms; 2.0 and 11.0 are times of spikes
DELAYS = np.array([[0.0, 3.0, 0.5], [1.0, 0.25, 2.0]])  # ms


def judged() -> Network:
    """Inputs on the machine and beside it, with plastic and constant synapses, and a driver."""
    net = Network(seed=2)
    rng = np.random.default_rng(1)
    times = np.sort(np.concatenate([[2.0, 11.0], rng.uniform(0, 25, 38)]))
    u = net.population("u", 2, SpikeTimes(times, np.arange(40) % 2))
    outside = net.population("outside", 1, SpikeTimes([2.0, 6.5, 15.0], [0, 0, 0]))
    cells = net.population("cells", 3, LIFExp(tau_m=10, tau_exc=3))
    driver = net.population("driver", 2, LIFExp(tau_m=6, tau_exc=2))
    net.projection(u, cells, all_to_all(), 0.2, DELAYS, rule=LateArrivals(), name="plastic")
    net.projection(u, driver, all_to_all(), 0.6, 0.1)
    net.projection(driver, cells, explicit([0, 0, 1], [0, 0, 2]), 0.3, [0.2, 1.0, 0.4], name="rows")
    net.projection(outside, cells, all_to_all(), 0.1, 0.5, name="beside")
    net.record_spikes("u", "outside", "cells", "driver")
    return net


HOMES = {"u": [0, 1], "cells": [1, 2, 3], "driver": [2, 2]}


def run_judged(one: Simulation) -> list[TrialRecord]:
    """Successive trials, each judged somewhat later; their records."""
    LateArrivals.seen.clear()
    for t in STARTS:
        one.run(t)
        one.begin_trial("cells")
    one.run(24.0)
    for k in range(len(STARTS)):
        one.feedback("cells", [0.5, -0.25, 1.0], delay=0.1 * k)
    one.run(25.0)
    return list(LateArrivals.seen)


@compiled
def test_trials_are_judged_with_the_same_bits_at_infinite_bandwidth() -> None:
    plain = Simulation(judged())
    expected = run_judged(plain)
    meshed = CoSimulation(judged(), MESH, HOMES, cycles_per_ms=math.inf)
    found = run_judged(meshed)
    assert sum(record.times.size for record in found) > 100
    for one, other in zip(found, expected, strict=True):
        for name in ("times", "synapse", "weights", "ports", "fired"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert (one.initial, one.duration) == (other.initial, other.duration)
    assert_same_spikes(everything(meshed), everything(plain))
    for name in plain.network.projections:
        np.testing.assert_array_equal(meshed.weights(name), plain.weights(name))


@compiled
@pytest.mark.parametrize("multicast", [None, "xy_tree"])
def test_the_record_of_a_trial_has_the_latencies(multicast: str | None) -> None:
    """Arrivals by brute force, from the spikes, the journeys and the delays."""
    meshed = CoSimulation(
        judged(), MESH, HOMES, cycles_per_ms=8.0, multicast=multicast, record_journeys=True
    )
    found = run_judged(meshed)
    journeys = list(zip(*(part.tolist() for part in meshed.journeys()), strict=True))
    first = {"u": 0, "outside": 2, "cells": 3, "driver": 6}
    synapses: list[list[tuple[str, int, float]]] = [  # of each cell, in the order of the record
        [("u", 0, DELAYS[0, j]), ("u", 1, DELAYS[1, j])] for j in range(3)
    ]
    synapses[0] += [("driver", 0, 0.2), ("driver", 0, 1.0)]
    synapses[2] += [("driver", 1, 0.4)]
    for some in synapses:
        some.append(("outside", 0, 0.5))
    ends = [*STARTS[1:], 24.0]
    remote = 0
    for k, (start, end) in enumerate(zip(STARTS, ends, strict=True)):
        for j in range(3):
            core, arrivals = HOMES["cells"][j], []
            for number, (name, i, delay) in enumerate(synapses[j]):
                times, neurons = meshed.spikes(name)
                if name in HOMES and HOMES[name][i] != core:
                    there = [a for g, c, _, a in journeys if (g, c) == (first[name] + i, core)]
                    remote += len(there)
                else:
                    there = times[neurons == i].tolist()
                # What happens at the very beginning happened before the trial was begun.
                arrivals += [(a + delay, number) for a in there if start < a + delay <= end]
            record = found[3 * k + j]
            assert record.duration == end - start
            got = list(zip((record.times + start).tolist(), record.synapse.tolist(), strict=True))
            assert [n for _, n in got] == [n for _, n in sorted(arrivals)]
            np.testing.assert_allclose([t for t, _ in got], sorted(t for t, _ in arrivals))
    assert remote > 100
    # A state between two calls holds the trials, and what is under way.
    again = CoSimulation(judged(), MESH, HOMES, cycles_per_ms=8.0, multicast=multicast)
    again.run(10.0)
    again.begin_trial("cells")
    again.run(11.3)
    saved = through_a_file(again.save())
    other = CoSimulation(judged(), MESH, HOMES, cycles_per_ms=8.0, multicast=multicast)
    other.restore(saved)
    for one in (again, other):
        one.run(21.0)
        one.feedback("cells", 1.0)
    np.testing.assert_array_equal(again.weights("plastic"), other.weights("plastic"))
    others = CoSimulation(judged(), MESH, HOMES, cycles_per_ms=8.0, multicast="dual_path")
    with pytest.raises(MappingError, match=rf"multicast = {multicast!r}, and this .* 'dual_path'"):
        others.restore(saved)
    assert not np.array_equal(again.weights("plastic"), np.full((2, 3), 0.2))


def test_what_makes_no_sense_is_refused() -> None:
    net = network()
    homes = homes_of(net)
    for given, said in (
        ({**homes, "e": homes["e"][:-1]}, "5 cores for 6 neurons"),
        ({**homes, "e": homes["e"] + 3}, "has cores 0..3"),
        ({name: homes[name] for name in ("u", "e")}, "none for population 'i'"),
    ):
        with pytest.raises(MappingError, match=said):
            CoSimulation(net, MESH, given, cycles_per_ms=10.0)
    for clock in (0.0, -1.0, math.nan):
        with pytest.raises(MappingError, match="cycles_per_ms"):
            CoSimulation(net, MESH, homes, cycles_per_ms=clock)
    for wrong in ("spanning", True):
        with pytest.raises(MappingError, match=r"multicast = .*; it can be None, dual_path"):
            CoSimulation(net, MESH, homes, cycles_per_ms=math.inf, multicast=wrong)  # type: ignore[arg-type]
    faulty = Mesh(2, 2, faulty_cores=(int(homes["e"][0]),))
    with pytest.raises(MappingError, match="faulty"):
        CoSimulation(net, faulty, homes, cycles_per_ms=10.0)


def test_all_of_it_uncompiled() -> None:
    said = uncompiled_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "slow", __file__)
    assert "14 passed" in said
