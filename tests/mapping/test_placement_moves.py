"""What a move changes, by the tables that are kept up to date, against the objective in full."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Mesh, Traffic, metrics
from mapping.placement import _moves, _tabu, annealing
from mapping.placement._course import Watch
from mapping.placement._legal import random_legal
from mapping.placement._problem import pose_problem
from mapping.placement.hilbert import hilbert_order
from simulator.errors import MappingError

OBJECTIVES = [
    "packet_hops",
    "max_link_load",
    "energy",
    {"packet_hops": 1.0, "max_link_load": 3.0},
    {"packet_hops": 0.5, "energy": 2.0},
    {"packet_hops": 1.0, "max_link_load": 0.7, "energy": 0.1},
]


def posed(traffic, mesh, objective="packet_hops", allowed=None, routing=None):
    return pose_problem(
        traffic,
        mesh,
        objective=objective,
        allowed=allowed,
        routing=routing,
        watch=Watch(None, None),
    )


def value_by_metrics(traffic, mesh, objective, core_of, routing):
    """The objective from the measures of `mapping.metrics`, which know nothing of placements."""
    weights = {objective: 1.0} if isinstance(objective, str) else objective
    loads = metrics.link_loads(traffic, core_of, mesh, routing)
    terms = {
        "packet_hops": metrics.communication_cost(traffic, core_of, mesh),
        "max_link_load": metrics.maximum_link_load(loads),
        "energy": metrics.network_energy_pj(traffic, loads, mesh),
    }
    return sum(weight * terms[name] for name, weight in weights.items())


@st.composite
def problems(draw):
    torus = draw(st.booleans())
    width, height = draw(st.integers(1, 4)), draw(st.integers(2, 4))
    routing = "torus_dimension_order" if torus else draw(st.sampled_from(["xy", "yx"]))
    faulty = draw(st.sets(st.integers(1, width * height - 1), max_size=2))
    mesh = Mesh(width, height, torus=torus, faulty_cores=tuple(faulty))
    if not torus and draw(st.booleans()):
        # A link that fails in one direction: distances differ with the direction.
        mesh = mesh.with_faults(links=[draw(st.sampled_from(mesh.links))])
        routing = "up_down"
        try:
            mesh.check_connected()
            posed(Traffic.from_matrix([[0]], 1.0), mesh, "energy", None, routing)
        except MappingError:
            mesh = Mesh(width, height)
            routing = "xy"
    n = draw(st.integers(1, mesh.usable_cores.size))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    packets = rng.integers(0, 100, (n, n)) * (rng.random((n, n)) < draw(st.sampled_from([0.3, 1])))
    return Traffic.from_matrix(packets, 1.0), mesh, routing


@settings(max_examples=40)
@given(problems(), st.sampled_from(OBJECTIVES), st.integers(0, 10**6))
def test_incremental_cost_equals_full_recomputation(problem, objective, seed):
    traffic, mesh, routing = problem
    p = posed(traffic, mesh, objective, None, routing)
    rng = np.random.default_rng(seed)
    s = _moves.start_state(p, random_legal(p.allowed, mesh, rng))
    after = np.empty(3)
    for _ in range(12):
        a, to = int(rng.integers(traffic.n_cores)), int(rng.integers(mesh.n_cores))
        b = s.occupant[to]
        if to == s.core_of[a] or not _moves.allowed_move(p.tables, s, a, b, to):
            continue
        before, loads = s.core_of.copy(), s.loads.copy()
        change = _moves.try_move(p.tables, s, a, b, to, after)
        if rng.random() < 0.3:
            _moves.drop_move(p.tables, s, a, b, to)
            assert np.array_equal(s.loads, loads)
            assert np.array_equal(s.core_of, before)
            continue
        old = value_by_metrics(traffic, mesh, objective, s.core_of, routing)
        _moves.keep_move(s, a, b, to, after)
        new = value_by_metrics(traffic, mesh, objective, s.core_of, routing)
        assert change == pytest.approx(new - old, abs=1e-9 * max(1.0, abs(old)))
        assert s.sums[0] == pytest.approx(new) == p.value(s.core_of)
        assert s.sums[2] == np.sum(s.loads.astype(float) ** 2)
        if s.loads.size:
            assert np.array_equal(s.loads, metrics.link_loads(traffic, s.core_of, mesh, routing))
        assert [s.occupant[core] for core in s.core_of] == list(range(traffic.n_cores))
        assert np.sum(s.occupant == -1) == mesh.n_cores - traffic.n_cores
        assert p.value(s.core_of) >= p.bound


@settings(max_examples=30)
@given(problems(), st.integers(0, 10**6))
def test_the_matrix_of_a_tabu_search_holds_every_change(problem, seed):
    traffic, mesh, _ = problem
    p = posed(traffic, mesh)
    if not p.pairwise:
        return
    rng = np.random.default_rng(seed)
    search = _tabu.PairSearch(p)
    search.start(random_legal(p.allowed, mesh, rng))
    costs = [search.cost]
    for _ in range(6):
        search.run(1, (2.0, 4.0), rng)
        costs.append(search.cost)
        pairs = search._pairs
        assert p.value(search.places[pairs.place[: p.n]]) == search.cost
        for u in range(p.n):
            for v in range(u + 1, pairs.place.size):
                place = pairs.place.copy()
                place[[u, v]] = place[[v, u]]
                moved = search.places[place[: p.n]]
                assert p.value(moved) == search.cost + pairs.change[u, v]
    assert search.best == min(costs) == p.value(search.best_core_of)


@settings(max_examples=20)
@given(problems(), st.sampled_from(OBJECTIVES[:3]), st.integers(0, 1000))
def test_the_best_of_an_annealing_is_what_it_says(problem, objective, seed):
    traffic, mesh, routing = problem
    p = posed(traffic, mesh, objective, None, routing)
    rng = np.random.default_rng(seed)
    start = random_legal(p.allowed, mesh, rng)
    found = annealing.anneal_from(p, start, rng, 300, 6, 0.5, 0.05)
    record = found.convergence
    assert record.best[-1] == pytest.approx(p.value(found.core_of))
    assert np.all(np.diff(record.best) <= 0)
    assert np.all(record.cost >= record.best)
    assert record.best[-1] <= p.value(start)


@settings(max_examples=15)
@given(problems(), st.sampled_from(OBJECTIVES[:3]), st.integers(0, 1000))
def test_nothing_improves_after_the_descent(problem, objective, seed):
    traffic, mesh, routing = problem
    p = posed(traffic, mesh, objective, None, routing)
    s = _moves.start_state(p, random_legal(p.allowed, mesh, np.random.default_rng(seed)))
    where, moves = np.zeros(2, dtype=np.int64), traffic.n_cores * mesh.n_cores
    while where[1] < moves:
        assert _moves.descend(p.tables, s, where, 50, np.empty(3)) <= 50
    value = p.value(s.core_of)
    for a in range(traffic.n_cores):
        for to in mesh.usable_cores:
            moved = s.core_of.copy()
            moved[s.core_of == to] = s.core_of[a]
            moved[a] = to
            assert p.value(moved) >= value - 1e-9 * abs(value)


@pytest.mark.parametrize("objective", OBJECTIVES[:2])
def test_compiled_and_plain_annealing_make_the_same_moves(objective):
    rng = np.random.default_rng(3)
    traffic, mesh = Traffic.from_matrix(rng.integers(0, 9, (8, 8)), 1.0), Mesh(3, 3)
    p = posed(traffic, mesh, objective)
    results = []
    for kernel in (annealing.anneal, getattr(annealing.anneal, "py_func", annealing.anneal)):
        rng = np.random.Generator(np.random.Philox(key=5))
        s = _moves.start_state(p, np.arange(8))
        best, best_core_of = s.sums[:1].copy(), s.core_of.copy()
        after = np.empty(3)
        made = kernel(p.tables, s, 10.0, 0.01, 100, 2, best, best_core_of, after, rng)
        results.append([made, s.core_of.tolist(), best.tolist(), best_core_of.tolist()])
    assert results[0] == results[1]
    assert 0 < results[0][0] < 100


@pytest.mark.parametrize("width", range(1, 13))
@pytest.mark.parametrize("height", [1, 2, 3, 5, 8, 11, 16])
def test_the_hilbert_curve_visits_every_core_in_steps_to_a_neighbour(width, height):
    order = hilbert_order(width, height)
    assert sorted(order.tolist()) == list(range(width * height))
    y, x = np.divmod(order, width)
    steps = np.maximum(np.abs(np.diff(x)), np.abs(np.diff(y)))
    diagonal = np.abs(np.diff(x)) + np.abs(np.diff(y)) == 2
    assert np.all(steps == 1)
    assert diagonal.sum() <= 1


def test_a_hilbert_curve_keeps_near_what_is_near():
    # Runs of 16 cores of the square curve are squares of 4 x 4.
    order = hilbert_order(16, 16)
    y, x = np.divmod(order, 16)
    for k in range(0, 256, 16):
        assert np.ptp(x[k : k + 16]) == np.ptp(y[k : k + 16]) == 3
