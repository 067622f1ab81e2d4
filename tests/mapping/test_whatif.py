import json
from dataclasses import replace

import numpy as np
import pytest

from mapping import CapacityError, Edges, Mesh, SpikingGraph, map_network, whatif
from mapping.draw import draw_what_if
from mapping.metrics import multicast_link_loads
from mapping.multicast import multicast_names
from mapping.network import RecordedSpikes
from mapping.whatif import Combination, WhatIfRow, combinations, ranked, what_if
from simulator.errors import MappingError
from tests.mapping.support import demo_graph

MESHES = {
    "4x4": Mesh(4, 4),
    "board": Mesh(6, 2, chip_width=3),
    "ring": Mesh(4, 4, torus=True, energy=None),
    "tiny": Mesh(1, 1),
}


@pytest.fixture(scope="module")
def rows():
    chosen = combinations(
        list(MESHES),
        ["sequential", "greedy"],
        ["sequential", "serpentine"],
        ["xy", "odd_even", "torus_dimension_order"],
        seed=2,
    )
    return list(what_if(demo_graph(), MESHES, chosen))


def test_every_row_is_what_mapping_alone_gives(rows):
    assert len(rows) == 4 * 2 * 2 * 3
    for row in rows:
        way = row.combination
        options = {
            "partition": way.partition,
            "placement": way.placement,
            "routing": way.routing,
            "seed": way.seed,
        }
        if row.problem:
            with pytest.raises(MappingError) as caught:
                map_network(demo_graph(), MESHES[way.mesh], **options)
            assert row == WhatIfRow(way, problem=str(caught.value), cpu_s=row.cpu_s)
            continue
        report = map_network(demo_graph(), MESHES[way.mesh], **options)
        assert row.cost == report.cost
        assert (row.average_hops, row.maximum_hops) == report.hops
        assert row.maximum_link_load == report.maximum_link_load
        assert row.deadlock_free is report.verdict.free
        assert (row.cores, row.packets) == (report.partition.n_cores, report.traffic.n_packets)
        assert row.gap_to_bound == report.limit.gap_to_degree
        assert row.gap_to_limit == pytest.approx(report.limit.gap_to_packets)
        assert (row.multicast_cost is None) == report.loads_are_expected
        if report.multicast is not None:
            assert row.multicast_cost == report.multicast.cost
        if report.energy_pj is None:
            assert row.energy_uj is None
        else:
            assert row.energy_uj == report.energy_pj * 1e-6
    assert {row.combination.mesh for row in rows if row.problem} >= {"ring", "4x4"}


def recorded(n=300, cycles_per_ms=20.0, flits=1):
    rng = np.random.default_rng(3)
    return RecordedSpikes(rng.integers(0, 282, n), rng.uniform(0.0, 40.0, n), cycles_per_ms, flits)


@pytest.fixture(scope="module")
def sent_rows():
    chosen = combinations(
        ["4x4", "ring"], ["sequential"], ["sequential"], ["xy"], multicasts=multicast_names()
    )
    return list(what_if(demo_graph(), MESHES, chosen, spikes=recorded()))


def test_rows_of_packets_that_branch_are_what_mapping_alone_gives(sent_rows):
    assert [row.combination.routing for row in sent_rows[:4]] == ["xy", *multicast_names()]
    for row in sent_rows:
        way = row.combination
        if way.routing == "xy":
            assert way.multicast is None
            continue
        torus = MESHES[way.mesh].torus
        report = map_network(
            demo_graph(),
            MESHES[way.mesh],
            placement="sequential",
            routing="torus_dimension_order" if torus else "xy",
            multicast=way.multicast,
            spikes=recorded(),
        )
        trees, flows = report.multicast, report.traffic.multicast
        assert (row.packets, row.cost) == (trees.n_packets, trees.cost)
        loads = multicast_link_loads(
            report.traffic, report.placement.core_of, report.mesh, tree=way.multicast
        )
        assert trees.cost == loads.sum()
        assert row.maximum_link_load == trees.maximum_link_load == loads.max()
        assert row.deadlock_free is trees.verdict.free
        hops = [len(tree.path(core)) for tree in trees.trees for core in tree.targets]
        weights = np.repeat(flows.packets, np.diff(flows.start))
        assert row.average_hops == pytest.approx(np.average(hops, weights=weights))
        assert row.maximum_hops == max(hops)
        latency = report.spikes.report.latency
        assert (row.outcome, row.latency_mean, row.latency_p99) == (
            "stable",
            latency.mean,
            latency.p99,
        )
        assert row.saturation_margin == report.spikes.report.saturation_margin > 1
        words = dict(report.summary_rows())
        assert way.multicast in words["with multicast"]
        assert words["deadlock, multicast"].startswith("free" if trees.verdict.free else "possible")
        assert "latency mean" in words["recorded spikes"]
        record = json.loads(json.dumps(report.to_dict(), allow_nan=False))
        assert record["traffic"]["multicast"]["deadlock"]["free"] is trees.verdict.free
        assert record["recorded_spikes"]["report"]["latency"]["mean"] == latency.mean
    order = ranked(sent_rows, "latency")
    known = [row.latency_mean for row in order if row.deadlock_free]
    assert known == sorted(known)


def test_a_network_that_does_not_keep_up_or_stalls_has_no_latency():
    chosen = combinations(["4x4"], ["sequential"], ["sequential"], ["xy"])
    (row,) = what_if(demo_graph(), MESHES, chosen, spikes=recorded(2_000, 0.2, 9))
    assert (row.outcome, row.latency_mean, row.latency_p99) == ("unstable", None, None)
    assert 0 < row.saturation_margin < 1
    figure = draw_what_if([row])
    assert "unstable" in [text.get_text() for text in figure.axes[2].texts]
    (silent,) = what_if(demo_graph(), MESHES, chosen, spikes=recorded(0))
    assert (silent.outcome, silent.saturation_margin) == ("silent", None)
    graph = SpikingGraph({"a": 4}, [Edges("a", "a", range(4), [2, 3, 0, 1])], [9] * 4, 10.0)
    ring = {"ring": Mesh(4, 1, torus=True, neurons_per_core=1)}
    # All four at once, each to the core opposite, with packets longer than the buffers between.
    many = RecordedSpikes(np.tile(np.arange(4), 40), np.repeat(np.arange(40) / 10, 4), 1.0, 40)
    ways = combinations(["ring"], ["sequential"], ["sequential"], ["torus_dimension_order"])
    (stalled,) = what_if(graph, ring, ways, spikes=many)
    assert (stalled.outcome, stalled.deadlock_free) == ("stalled", False)
    assert stalled.latency_mean is None
    assert "stalled" in [text.get_text() for text in draw_what_if([stalled]).axes[2].texts]


def test_the_order_is_free_ones_first_then_the_figure_then_problems(rows):
    for by, first in (("cost", "cost"), ("maximum_link_load", "maximum_link_load")):
        order = ranked(rows, by)
        works = [row for row in order if not row.problem]
        assert order[: len(works)] == works
        free = [row for row in works if row.deadlock_free]
        assert works[: len(free)] == free
        assert 0 < len(free) < len(works)
        for group in (free, works[len(free) :]):
            figures = [getattr(row, first) for row in group]
            assert figures == sorted(figures)
    by_energy = [row.energy_uj for row in ranked(rows, "energy") if row.deadlock_free]
    known = [value for value in by_energy if value is not None]
    assert by_energy[: len(known)] == sorted(known)


def test_rows_come_one_by_one_and_share_their_work(monkeypatch):
    placed = []
    original = whatif.place

    def place(*arguments, **options):
        placed.append(arguments[2])
        return original(*arguments, **options)

    monkeypatch.setattr(whatif, "place", place)
    chosen = combinations(["4x4"], ["sequential"], ["sequential", "serpentine"], ["xy", "yx"])
    stream = what_if(demo_graph(), MESHES, chosen)
    assert placed == []
    first = next(stream)
    assert (first.combination, placed) == (chosen[0], ["sequential"])
    assert len(list(stream)) == 3
    assert placed == ["sequential", "serpentine"]


def test_rows_survive_being_written(rows):
    for row in rows:
        assert WhatIfRow.from_dict(row.to_dict()) == row
    with pytest.raises(KeyError):
        WhatIfRow.from_dict({"mesh": "4x4"})
    with pytest.raises(TypeError):
        WhatIfRow.from_dict(rows[0].to_dict() | {"colour": 3})


def test_unknown_names_end_the_study_before_it_begins():
    way = Combination("4x4", "sequential", "sequential", "xy", 0)
    for name in ("mesh", "partition", "placement", "routing"):
        wrong = replace(way, **{name: "magic"})
        with pytest.raises(MappingError, match=f"unknown {name} 'magic'; there are "):
            next(what_if(demo_graph(), MESHES, [wrong]))
    with pytest.raises(MappingError, match="ranked by 'magic'; it can be cost"):
        ranked([], "magic")


def test_a_network_that_fits_nowhere_has_rows_without_figures():
    graph = SpikingGraph({"a": 3}, [Edges("a", "a")], [1, 2, 3], 1.0)
    small = {"small": Mesh(1, 1, neurons_per_core=2)}
    (row,) = what_if(graph, small, combinations(["small"], ["sequential"], ["sequential"], ["xy"]))
    with pytest.raises(CapacityError) as caught:
        map_network(graph, small["small"])
    assert (row.problem, row.cost) == (str(caught.value), None)
    with pytest.raises(MappingError, match="no combination has figures"):
        draw_what_if([row])


def test_the_picture_shows_the_ranked_rows(rows):
    figure = draw_what_if(rows)
    works = [row for row in ranked(rows) if not row.problem]
    left, right = figure.axes
    labels = [text.get_text() for text in left.get_yticklabels()]
    assert labels[0].split()[0] == works[0].combination.mesh
    assert len(labels) == len(works)
    hops = [line.get_xdata()[0] for line in left.lines if line.get_marker() == "o"]
    assert hops == [row.average_hops for row in works]
    loads = [line.get_xdata()[0] for line in right.lines if line.get_marker() == "o"]
    assert loads == [row.maximum_link_load for row in works]
    latencies = draw_what_if(
        [replace(row, outcome="stable", latency_mean=5.0, latency_p99=9.0) for row in works]
    ).axes[2]
    assert [line.get_xdata()[0] for line in latencies.lines if line.get_marker() == "|"] == (
        [9.0] * len(works)
    )
    many = [replace(works[0], cost=k) for k in range(100)]
    assert len(draw_what_if(many).axes[0].get_yticklabels()) == 30
