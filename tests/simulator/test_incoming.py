"""Numbers of synapses, of rows and of targets: in 32 bits where they fit, in 64 where not, with one
meaning."""

import numpy as np
import pytest

from encoders import SpikeTimes
from neurons import LIFExp
from plasticity import PairSTDP
from simulator import Network, Simulation, explicit
from simulator import incoming as module
from simulator.compile import compile_network
from simulator.incoming import (
    incoming_codes,
    incoming_of,
    incoming_synapse,
)


def skewed():
    """Rows of 0 to 9 synapses, and one of 700."""
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 10, 60)
    lengths[17] = 700
    pre = np.repeat(np.arange(60), lengths)
    post = rng.integers(0, 40, pre.size)
    net = Network(seed=2)
    times = np.sort(rng.uniform(0, 200, 720))
    u = net.population("u", 60, SpikeTimes(times, rng.integers(0, 60, times.size)))
    v = net.population("v", 40, LIFExp())
    weights = rng.uniform(0, 3.0, pre.size)
    rule = PairSTDP(w_max=4.0)
    net.projection(u, v, explicit(pre, post), weights, 1.0, rule=rule, name="learned")
    net.record_spikes("v")
    return net, pre, post


@pytest.mark.parametrize("bits", [32, 8], ids=["short", "long"])
def test_entries_name_row_and_synapse(monkeypatch, bits):
    monkeypatch.setattr(module, "_SHORT_BITS", bits)
    net, pre, post = skewed()
    compiled = compile_network(net)
    arrays = compiled.arrays
    row = arrays.projs[0]
    assert bool(row.in_short) == (bits == 32)
    assert row.place_bits == 10  # places up to 699
    first = arrays.row_ptr[row.row_at : row.row_at + 61]
    sender, target = np.repeat(np.arange(60), np.diff(first)), arrays.syn_post
    np.testing.assert_array_equal(sender, np.sort(pre))
    np.testing.assert_array_equal(np.bincount(target), np.bincount(post))
    for j in range(40):
        mine = [
            incoming_synapse(arrays, incoming_of(arrays, 0), b)
            for b in range(arrays.in_ptr[row.in_at + j], arrays.in_ptr[row.in_at + j + 1])
        ]
        expected = [(sender[s], s) for s in np.flatnonzero(target == j)]
        assert mine == expected


def test_learning_is_the_same_in_both_widths(monkeypatch):
    results = []
    for bits in (32, 8):
        monkeypatch.setattr(module, "_SHORT_BITS", bits)
        simulation = Simulation(skewed()[0], workers=1)
        simulation.run(250.0)
        results.append(simulation.weights("learned"))
    assert np.ptp(results[0]) > 0
    np.testing.assert_array_equal(*results)


def test_what_does_not_fit_into_32_bits_takes_64():
    """A million rows of one synapse and one row of 10,000: 20 + 14 bits."""
    first = np.concatenate([np.arange(1_000_000), [1_009_999]])
    post = np.zeros(first[-1], np.int32)
    codes, bits = incoming_codes(first, post, np.array([0, post.size]))
    assert bits == 14
    assert codes.dtype == np.int64
    assert codes[-1] == (999_999 << 14) | 9_999
    codes, _ = incoming_codes(first[:-1], post[:-10_000], np.array([0, 999_999]))
    assert codes.dtype == np.uint32
