"""Verdicts against the running network, on meshes, relations, buffers and loads drawn at random.

What is free never stalls; what stalls is possible; every witness comes to a stall in its cycle.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest

from mapping import Mesh, RoutingFunction, find_deadlock
from mapping.deadlock import Flow, Verdict
from mapping.deadlock_witness import witness_packets
from mapping.network import PacketNetwork, Stall, StallError, replay
from mapping.routing import TURNS, TurnSet, grid_of, routing_function
from mapping.routing.adaptive_escape import AdaptiveEscape
from mapping.routing.fully_adaptive import FullyAdaptive
from simulator.errors import MappingError
from tests.mapping.relations import RandomRelation, random_table

ON_A_MESH = (
    "xy", "yx", "west_first", "north_last", "negative_first", "odd_even", "o1turn",
)  # fmt: skip
ON_A_TORUS = ("torus_dimension_order", "torus_datelines")


class Case(NamedTuple):
    mesh: Mesh
    function: RoutingFunction
    flows: list[Flow] | None
    options: dict[str, Any]  # of the network
    most_flits: int


def drawn(rng: np.random.Generator) -> Case:
    """A mesh, a relation that connects it, flows and a network."""
    while True:
        mesh = _mesh(rng)
        function = _function(rng, mesh)
        try:
            grid_of(mesh, routing_function(function, mesh))
            pairs = list(function.pairs(mesh))
            find_deadlock(mesh, function)
        except MappingError:  # it does not suit this mesh with what is missing there
            continue
        if not pairs:
            continue
        flows = None
        if rng.random() < 0.4:
            some = rng.choice(len(pairs), rng.integers(1, min(len(pairs), 24) + 1), replace=False)
            flows = [pairs[k] for k in some]
        depth = int(rng.integers(1, 6))
        cut_through = rng.random() < 0.3
        options = {
            "lanes": int(rng.choice([1, 1, 2, 3])),
            "buffer_flits": depth,
            "switching": "cut_through" if cut_through else "wormhole",
            "empty_first": bool(rng.integers(2)),
            "seed": int(rng.integers(1 << 20)),
        }
        return Case(mesh, function, flows, options, depth if cut_through else 12)


def _mesh(rng: np.random.Generator) -> Mesh:
    mesh = Mesh(int(rng.integers(2, 6)), int(rng.integers(2, 6)), torus=bool(rng.random() < 0.4))
    if rng.random() < 0.3:
        links = rng.choice(mesh.links, rng.integers(1, 4), replace=False).tolist()
        mesh = mesh.with_faults(links=links, both_ways=bool(rng.integers(2)))
    return mesh


def _function(rng: np.random.Generator, mesh: Mesh) -> RoutingFunction:
    kind = rng.integers(8)
    if kind == 0:
        return routing_function("up_down", mesh)
    if kind == 1:
        return random_table(mesh, rng, most=int(rng.integers(1, 3)))
    if kind == 2:
        return RandomRelation(
            int(rng.integers(1 << 30)),
            int(rng.integers(1, 4)),
            rng.uniform(0.2, 1.0),
            memory=bool(rng.integers(2)),
        )
    if mesh.torus:
        return routing_function(str(rng.choice(ON_A_TORUS)), mesh)
    if kind == 3:
        turns = [turn for turn in TURNS if rng.random() < 0.75]
        return TurnSet(turns, minimal=bool(rng.integers(2)), partial=True)
    if kind == 4:
        return FullyAdaptive(int(rng.integers(1, 4)))
    if kind in (5, 6):
        vcs = int(rng.integers(2, 4))
        with_escape = RandomRelation(int(rng.integers(1 << 30)), vcs, 0.7, with_escape=True)
        return with_escape if rng.integers(2) else AdaptiveEscape(vcs)
    return routing_function(str(rng.choice(ON_A_MESH)), mesh)


def stall_under_load(case: Case, rng: np.random.Generator) -> Stall | None:
    """All that a burst of packets between the flows comes to."""
    network = PacketNetwork(case.mesh, case.function, **case.options)
    pairs = np.array(list(case.function.pairs(case.mesh)) if case.flows is None else case.flows)
    n = 60 * case.mesh.n_cores
    source, target = pairs[rng.integers(len(pairs), size=n)].T
    flits = rng.integers(1, case.most_flits + 1, n)
    network.inject(np.sort(rng.integers(0, 30, n)), source, target, flits)
    try:
        network.drain(200_000)
    except StallError as error:
        return error.stall
    assert network.counts.in_flight == 0
    return None


def check(seed: int) -> list[str]:
    """One case; what it was, for counting."""
    rng = np.random.default_rng((11, seed))
    case = drawn(rng)
    lanes = case.options["lanes"]
    verdict = find_deadlock(case.mesh, case.function, case.flows, lanes=lanes)
    stall = stall_under_load(case, rng)
    whole = case.options["empty_first"] or case.options["switching"] == "cut_through"
    about = (seed, case, verdict.kind)
    if stall is not None:
        assert verdict.kind != "free", about
        assert not (verdict.free and whole), about
        circle = [packet.channel for packet in stall.cycle]
        for packet, following in zip(stall.cycle, circle[1:] + circle[:1], strict=True):
            assert packet.wants == following, about
    kind = verdict.kind
    if verdict.escape is not None and not whole:
        kind += " if channels are reused only when empty"
    seen = [verdict.kind, kind + (", no stall" if stall is None else ", stalled")]
    if verdict.kind == "possible":
        seen += check_witness(case, verdict, about)
    return seen


def check_witness(case: Case, verdict: Verdict, about: object) -> list[str]:
    """A witness comes to a stall in the cycle of its verdict; whether there is one."""
    assert verdict.cycle is not None
    assert verdict.routes is not None
    for held, wanted, route in zip(
        verdict.cycle, verdict.cycle[1:] + verdict.cycle[:1], verdict.routes, strict=True
    ):
        assert (held, wanted) in pairwise(route), about
    depth = case.options["buffer_flits"]
    packets = witness_packets(verdict, case.mesh, depth, routing=case.function, flows=case.flows)
    if not packets:
        return ["no witness, " + ("sole choice" if verdict.sole_choice else "another way")]
    assert verdict.sole_choice, about
    stall = replay(verdict, case.mesh, depth, routing=case.function, flows=case.flows)
    assert stall is not None, about
    # The network names channels of the relation, the verdict lane 0 of them.
    cycle = {(channel.link, channel.vc // verdict.lanes) for channel in verdict.cycle}
    assert {tuple(channel) for channel in stall.channels} == cycle, about
    return ["witness stalled"]


@pytest.mark.parametrize(
    "seeds", [range(40), pytest.param(range(40, 3040), marks=pytest.mark.slow)]
)
def test_verdicts_and_networks_do_not_contradict_each_other(seeds: range) -> None:
    seen = Counter(name for seed in seeds for name in check(seed))
    assert {"free", "free by escape set", "possible", "witness stalled"} <= set(seen)
    assert seen["possible, stalled"] > 0
