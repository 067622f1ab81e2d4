"""A network spread over cores: with no latency bit for bit the plain one, with a constant latency
the plain one with longer delays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import Concentration, LIFExp
from plasticity import WTCRL, DopamineSTDP
from simulator import (
    Network,
    Simulation,
    SimulationError,
    all_to_all,
    fixed_in_degree,
    fixed_probability,
    instant_loop,
    uniform,
)
from simulator.compile import compile_network
from simulator.engine import Engine
from simulator.incoming import row_targets
from simulator.spread import Arrivals, Carrier, InstantCarrier, Remote, SpreadEngine
from tests.simulator.jump_model import Jump
from tests.simulator.support import assert_same_spikes, everything, through_a_file
from tests.uncompiled import uncompiled_python

UNTIL = 25.0
HALFWAY = 14.3
N_CORES = 4
compiled = pytest.mark.slow  # they are run uncompiled by the last test


def network() -> Network:
    """Rows and matrices, one delay and several and none, a rule on three; ties; busy."""
    net = Network(seed=4)
    rng = np.random.default_rng(2)
    spikes = np.unique(np.stack([rng.integers(0, 240, 60) / 10, rng.integers(0, 5, 60)]), axis=1)
    u = net.population("u", 5, SpikeTimes(spikes[0], spikes[1].astype(int)))
    e = net.population(
        "e", 6, LIFExp(tau_m=8, tau_exc=3, tau_inh=5, t_ref=1, bias=0.6), {"v": uniform(0, 0.9)}
    )
    i = net.population("i", 4, LIFExp(tau_m=6, tau_exc=2, tau_inh=5, bias=0.9))
    net.projection(u, e, fixed_probability(0.8), uniform(0.4, 0.9), uniform(0.2, 3), rule=WTCRL())
    net.projection(u, i, all_to_all(), 0.4, 0.0)
    net.projection(e, i, all_to_all(), uniform(0.3, 0.6), 0.7, rule=WTCRL())
    net.projection(i, e, fixed_in_degree(3), -0.4, 1.0, port="inhibitory")
    net.projection(e, e, all_to_all(False), uniform(0.1, 0.3), uniform(0.5, 2), rule=WTCRL())
    net.record_spikes("u", "e", "i")
    return net


class Spread(Simulation):
    """A simulation on cores."""

    def __init__(self, network: Network, homes: Mapping[str, Any], make_carrier: Any) -> None:
        self._homes, self._make_carrier = homes, make_carrier
        super().__init__(network, workers=1)

    def _make_engine(self, network: Network, workers: int | None) -> Engine:
        compiled = compile_network(network, homes=self._homes)
        return SpreadEngine(compiled, self._take_spikes, self._take_changes, self._make_carrier)


class ConstantCarrier:
    """Every spike takes as long from one core to another, depending on the two."""

    def __init__(self, remote: Remote, latency: Any) -> None:
        self._instant, self._home, self._latency = InstantCarrier(remote), remote.home, latency
        self.least = float(latency.min())
        self._on_way = Arrivals(*(np.empty(0, t) for t in (float, int, int, float)))

    def carry(self, times: Any, neurons: Any, now: float) -> Arrivals:
        sent = self._instant.carry(times, neurons, now)
        delayed = sent.times + self._latency[self._home[sent.neurons], sent.cores]
        both = [np.concatenate(p) for p in zip(self._on_way, (delayed, *sent[1:]), strict=True)]
        here = both[0] <= math.nextafter(now, math.inf)
        self._on_way = Arrivals(*(part[~here] for part in both))
        return Arrivals(*(part[here] for part in both))

    def under_way(self, now: float) -> float:
        return float(self._on_way.times.min(initial=math.inf))

    def forget(self) -> None:
        self._on_way = Arrivals(*(part[:0] for part in self._on_way))

    def save(self) -> dict[str, Any]:
        return self._on_way._asdict()

    def restore(self, saved: Mapping[str, Any]) -> None:
        self._on_way = Arrivals(*(saved[name] for name in Arrivals._fields))


def homes_of(net: Network, seed: int = 5) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, N_CORES, pop.size) for name, pop in net.populations.items()}


def latencies(seed: int = 6) -> Any:
    """Not the same both ways, shorter and longer than the delays."""
    return np.random.default_rng(seed).uniform(0.05, 6.0, (N_CORES, N_CORES))


def constant(latency: Any) -> Any:
    def make(remote: Remote) -> Carrier:
        return ConstantCarrier(remote, latency)

    return make


def with_longer_delays(net: Network, homes: Mapping[str, Any], latency: Any) -> None:
    """Add to each delay the latency between the cores of its two neurons."""
    compiled = Simulation(net, workers=1).compiled
    for q, proj in enumerate(list(net.projections.values())):
        row = compiled.arrays.projs[q]
        order, n_pre = compiled.orders[proj.name], proj.pre.size
        if proj.connector.rows is None and order is None:
            pre, post = np.divmod(np.arange(n_pre * proj.post.size), proj.post.size)
            delays = np.full(pre.size, float(row.delay))
        else:
            first = compiled.arrays.row_ptr[row.row_at : row.row_at + n_pre + 1]
            n = int(first[-1])
            stored_pre = np.repeat(np.arange(n_pre), np.diff(first))
            stored_post = row_targets(compiled.arrays, row)
            pool = compiled.arrays.short_delay if row.short else compiled.arrays.syn_delay
            stored = (
                pool[row.delay_at : row.delay_at + n].astype(float)
                if math.isnan(row.delay)
                else np.full(n, float(row.delay))
            )
            size = n if proj.connector.rows is not None else n_pre * proj.post.size
            place = np.arange(n) if order is None else order
            pre, post, delays = (np.zeros(size, t) for t in (int, int, float))
            pre[place], post[place], delays[place] = stored_pre, stored_post, stored
        a, b = homes[proj.pre.name][pre], homes[proj.post.name][post]
        total = delays + np.where(a == b, 0.0, latency[a, b])
        matrix = proj.connector.rows is None
        delay = total.reshape(n_pre, proj.post.size) if matrix else total
        net.projections[proj.name] = replace(proj, delay=delay)


@compiled
@pytest.mark.parametrize("left_alone", [True, False])
def test_without_latency_every_bit_is_that_of_the_plain_network(left_alone: bool) -> None:
    net = network()
    net.left_alone = left_alone
    plain, spread = Simulation(net, workers=1), Spread(net, homes_of(net), InstantCarrier)
    plain.run(UNTIL)
    spread.run(UNTIL)
    assert_same_spikes(everything(spread), everything(plain))
    for name in net.projections:
        np.testing.assert_array_equal(spread.weights(name), plain.weights(name))
    assert spread.deliveries == plain.deliveries


@compiled
def test_a_release_reaches_the_synapses_on_all_cores() -> None:
    net = network()
    dopamine = net.population("dopamine", 1, Concentration(tau=50.0))
    rule = DopamineSTDP(w_max=2.0)
    drawn = ("u", fixed_probability(0.8), uniform(0.2, 3)), ("e", fixed_in_degree(2), 0.5)
    for pre, connector, delay in drawn:
        net.projection(
            pre, "e", connector, uniform(0.4, 0.9), delay,
            rule=rule, modulator=dopamine, name=f"{pre} is rewarded",
        )  # fmt: skip
    plain, spread = Simulation(net, workers=1), Spread(net, homes_of(net), InstantCarrier)
    for simulation in (plain, spread):
        for t in (12.0, 20.0, UNTIL):
            simulation.run(t)
            simulation.release("dopamine", 0.7)
    for name in net.projections:
        np.testing.assert_array_equal(spread.weights(name), plain.weights(name))


@compiled
def test_changes_of_weights_are_recorded_as_without_a_machine() -> None:
    net = network()
    for name in ("u->e", "e->e"):
        net.record_weight_changes(name)
    plain, spread = Simulation(net, workers=1), Spread(net, homes_of(net), InstantCarrier)
    for simulation in (plain, spread):
        simulation.run(UNTIL)
    for name in ("u->e", "e->e"):
        sorted_changes = []
        for simulation in (plain, spread):
            times, synapses, weights = simulation.recording.weight_changes(name)
            order = np.lexsort((synapses, times))
            sorted_changes.append([times[order], synapses[order], weights[order]])
        assert sorted_changes[0][0].size > 5
        for got, expected in zip(sorted_changes[1], sorted_changes[0], strict=True):
            np.testing.assert_array_equal(got, expected)


@compiled
def test_a_constant_latency_is_a_longer_delay() -> None:
    net, longer, latency = network(), network(), latencies()
    homes = homes_of(net)
    with_longer_delays(longer, homes, latency)
    plain, spread = Simulation(longer, workers=1), Spread(net, homes, constant(latency))
    plain.run(UNTIL)
    spread.run(UNTIL)
    for name, (times, neurons) in everything(plain).items():
        got_times, got_neurons = spread.spikes(name)
        a, b = np.lexsort((got_times, got_neurons)), np.lexsort((times, neurons))
        np.testing.assert_array_equal(got_neurons[a], neurons[b])
        np.testing.assert_allclose(got_times[a], times[b], rtol=0, atol=1e-9)
    for name in net.projections:
        np.testing.assert_allclose(spread.weights(name), plain.weights(name), atol=1e-9)


@compiled
def test_pieces_and_a_restored_state_give_the_same_bits() -> None:
    net, latency = network(), latencies()
    homes = homes_of(net)
    whole = Spread(net, homes, constant(latency))
    whole.run(UNTIL)
    pieces = Spread(net, homes, constant(latency))
    for t in (3.3, 3.3, 11.0, HALFWAY):
        pieces.run(t)
    saved = through_a_file(pieces.save())
    pieces.run(UNTIL)
    assert_same_spikes(everything(pieces), everything(whole))
    again = Spread(net, homes, constant(latency))
    again.restore(saved)
    again.run(UNTIL)
    for name, (times, neurons) in everything(whole).items():
        later = times > HALFWAY
        np.testing.assert_array_equal(again.spikes(name)[0], times[later])
        np.testing.assert_array_equal(again.spikes(name)[1], neurons[later])
    for name in net.projections:
        np.testing.assert_array_equal(again.weights(name), whole.weights(name))


@compiled
def test_an_instant_ends_with_what_reaches_other_cores_at_once() -> None:
    """A spike at the end of a run, over synapses without delay."""
    net = Network()
    u = net.population("u", 1, SpikeTimes([2.0, 5.0], [0, 0]))
    cells = net.population("cells", 3, LIFExp(tau_m=8, tau_exc=3))
    net.projection(u, cells, all_to_all(), 0.3, 0.0)
    homes = {"u": np.array([0]), "cells": np.array([0, 1, 2])}
    plain, spread = Simulation(net, workers=1), Spread(net, homes, InstantCarrier)
    for t in (2.0, 3.1, 5.0, 9.0):
        plain.run(t)
        spread.run(t)
        np.testing.assert_array_equal(spread.state("cells", "i_exc"), plain.state("cells", "i_exc"))
        assert spread.deliveries == plain.deliveries


@compiled
def test_a_loop_without_end_between_cores_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instant_loop, "MAX_ROUNDS", 50)
    net = Network()
    u = net.population("u", 1, SpikeTimes([5.0], [0]))
    v = net.population("v", 1, Jump())
    w = net.population("w", 2, Jump())
    net.projection(u, v, all_to_all(), 2.0, 0.5)
    net.projection(v, w, all_to_all(), 2.0, 0.0, name="there")
    net.projection(w, v, all_to_all(), 2.0, 0.0, name="back")
    homes = {"u": np.array([0]), "v": np.array([0]), "w": np.array([1, 2])}
    spread = Spread(net, homes, InstantCarrier)
    spread.run(5.25)
    with pytest.raises(SimulationError, match=r"at 5.5 ms .* never stop: '(there|back)' -> '"):
        spread.run(20.0)


@compiled
def test_a_call_on_spikes_is_made_at_its_time() -> None:
    net = network()
    spread = Spread(net, homes_of(net), constant(latencies()))
    called: list[tuple[float, int]] = []
    spread.on_spike("e", lambda t, neurons: called.extend((t, int(i)) for i in neurons))
    spread.run(UNTIL)
    times, neurons = spread.spikes("e")
    assert called == list(zip(times.tolist(), neurons.tolist(), strict=True))
    assert called


@compiled
def test_spikes_that_are_forgotten_do_not_arrive() -> None:
    net = network()
    spread = Spread(net, homes_of(net), constant(latencies() + 30.0))
    spread.run(5.0)
    spread.forget()
    before = spread.deliveries
    spread.run(5.0)
    assert spread.deliveries == before
    assert np.all(spread.save()["carried/times"] < 0.0) or not spread.save()["carried/times"].size


def test_all_of_it_uncompiled() -> None:
    said = uncompiled_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "slow", __file__)
    assert "10 passed" in said
