import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mapping.placement
from mapping import Mesh, Traffic, place, placement_names
from mapping.placement import Solution
from simulator.errors import MappingError

QUICK = {
    "annealing": {"moves_per_core": 500, "n_temperatures": 40},
    "auto": {"effort": 0.0005},
    "genetic": {"population": 3, "work": 2000},
    "tabu": {"work": 2000},
}
SHORT = {
    "annealing": {},
    "auto": {"effort": 0.001},
    "genetic": {"work": 20_000},
    "tabu": {"work": 20_000},
}
METHODS = [
    "annealing",
    "auto",
    "force_directed",
    "genetic",
    "hamiltonian_loop",
    "hilbert",
    "sequential",
    "serpentine",
    "spectral",
    "tabu",
]


def random_traffic(n, seed, density=0.7):
    rng = np.random.default_rng(seed)
    packets = rng.integers(0, 100, (n, n)) * (rng.random((n, n)) < density)
    return Traffic.from_matrix(packets, 1.0)


def naive_cost(traffic, core_of, mesh):
    total = 0
    for i in range(traffic.n_cores):
        for j in range(traffic.n_cores):
            (xi, yi), (xj, yj) = mesh.coordinates(core_of[i]), mesh.coordinates(core_of[j])
            dx, dy = abs(xi - xj), abs(yi - yj)
            if mesh.torus:
                dx, dy = min(dx, mesh.width - dx), min(dy, mesh.height - dy)
            total += int(traffic.packets[i, j]) * (dx + dy)
    return total


@st.composite
def problems(draw):
    mesh = Mesh(draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.booleans()))
    n = draw(st.integers(1, mesh.n_cores))
    traffic = random_traffic(n, draw(st.integers(0, 10**6)), draw(st.sampled_from([0.0, 0.2, 1.0])))
    return traffic, mesh


@given(problems(), st.integers(0, 2**32))
def test_every_method_gives_a_valid_placement_and_its_true_cost(problem, seed):
    traffic, mesh = problem
    for method in placement_names():
        placement = place(traffic, mesh, method, seed=seed, **QUICK.get(method, {}))
        cores = placement.core_of.tolist()
        assert len(set(cores)) == len(cores) == traffic.n_cores
        assert set(cores) <= set(range(mesh.n_cores))
        assert placement.cost == naive_cost(traffic, cores, mesh)
        assert (placement.method, placement.seed) == (method, seed)
        assert placement.value == placement.cost


def test_orders_of_the_plain_methods():
    traffic = random_traffic(8, 0)
    mesh = Mesh(3, 3)
    assert place(traffic, mesh, "sequential").core_of.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert place(traffic, mesh, "serpentine").core_of.tolist() == [0, 1, 2, 5, 4, 3, 6, 7]


def test_cost_by_hand():
    # 0 -> 1: 5 packets over 1 hop; 1 -> 2: 2 packets from (1,0) to (0,1), 2 hops.
    traffic = Traffic.from_matrix([[9, 5, 0], [0, 0, 2], [0, 0, 0]], 1.0)
    assert place(traffic, Mesh(2, 2), "sequential").cost == 5 * 1 + 2 * 2


@pytest.mark.parametrize(("width", "height", "n"), [(2, 2, 4), (2, 2, 3), (3, 2, 6), (2, 3, 4)])
@pytest.mark.parametrize("torus", [False, True])
def test_the_searches_find_the_optimum_of_exhaustive_search(width, height, n, torus):
    mesh = Mesh(width, height, torus)
    for seed in range(3):
        traffic = random_traffic(n, seed)
        optimum = min(
            naive_cost(traffic, cores, mesh)
            for cores in itertools.permutations(range(mesh.n_cores), n)
        )
        for method in ("annealing", "tabu", "genetic", "auto"):
            options = (
                {}
                if method == "annealing"
                else {"effort": 0.001}
                if method == "auto"
                else {"work": 20_000}
            )
            assert place(traffic, mesh, method, seed=seed, **options).cost == optimum


def test_annealing_unfolds_a_shuffled_grid():
    mesh = Mesh(4, 4)
    shuffled = np.random.default_rng(3).permutation(16)
    packets = np.zeros((16, 16), dtype=int)
    packets[np.ix_(shuffled, shuffled)] = np.triu(mesh.distances == 1)
    # Every packet needs one hop at least, and the unshuffled grid needs no more.
    assert place(Traffic.from_matrix(packets, 1.0), mesh, seed=1).cost == packets.sum() == 24


def test_annealing_closes_a_ring_on_the_mesh():
    # N packets round a ring of N cores cost N hops at least; a Hamiltonian cycle reaches it.
    ring = np.roll(np.eye(16, dtype=int), 1, axis=1)
    assert place(Traffic.from_matrix(ring, 1.0), Mesh(4, 4), seed=0).cost == 16


def test_same_seed_same_placement():
    traffic, mesh = random_traffic(20, 5), Mesh(5, 5)
    one, again, other = (
        place(traffic, mesh, "annealing", seed=s, **QUICK["annealing"]) for s in (7, 7, 8)
    )
    assert one.core_of.tolist() == again.core_of.tolist()
    assert one.convergence.cost.tolist() == again.convergence.cost.tolist()
    assert one.convergence.cost.tolist() != other.convergence.cost.tolist()


def test_convergence_record():
    placement = place(random_traffic(20, 5), Mesh(5, 5), "annealing", seed=1, **QUICK["annealing"])
    record = placement.convergence
    assert record.moves[0] == 0
    # The descent that follows adds rows of its own.
    assert record.moves[40] == 500 * 25 // 40 * 40
    assert np.all(record.temperature[41:] == 0)
    assert record.best[-1] == placement.cost
    assert np.all(np.diff(record.best) <= 0)
    assert np.all(record.cost >= record.best)
    assert place(random_traffic(4, 0), Mesh(2, 2), "sequential").convergence is None


def test_no_traffic_and_a_single_core_are_no_trouble():
    silent = Traffic.from_matrix(np.zeros((3, 3)), 1.0)
    assert place(silent, Mesh(2, 2)).cost == 0
    assert place(Traffic.from_matrix([[4]], 1.0), Mesh(1, 1)).core_of.tolist() == [0]


def test_a_new_file_is_a_new_method(tmp_path, monkeypatch):
    assert placement_names() == METHODS
    (tmp_path / "backwards.py").write_text(
        "import numpy as np\n"
        "from mapping.placement import Solution\n"
        "def place(traffic, mesh, *, seed, skip=0):\n"
        "    return Solution(mesh.n_cores - 1 - skip - np.arange(traffic.n_cores))\n"
    )
    (tmp_path / "empty.py").write_text("")
    folders = [*mapping.placement.__path__, str(tmp_path)]
    monkeypatch.setattr(mapping.placement, "__path__", folders)
    assert "backwards" in placement_names()
    placement = place(random_traffic(2, 0), Mesh(2, 2), "backwards", skip=1)
    assert placement.core_of.tolist() == [2, 1]
    with pytest.raises(MappingError, match=r"placement 'empty': .* must define `place`"):
        place(random_traffic(2, 0), Mesh(2, 2), "empty")


@pytest.mark.parametrize(
    ("cores", "message"),
    [
        ([0, 0], "put two logical cores on one physical core"),
        ([0, 4], "used a core outside 0..3"),
        ([0], r"returned shape \(1,\); expected \(2,\)"),
    ],
)
def test_a_method_that_returns_no_placement_is_caught(cores, message):
    def wrong(traffic, mesh, *, seed):
        return Solution(np.array(cores))

    with pytest.raises(MappingError, match=f"placement 'wrong' {message}"):
        place(random_traffic(2, 0), Mesh(2, 2), wrong)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"method": "best"},
            "unknown placement 'best'; there are annealing, auto, force_dir",
        ),
        ({"method": "_base"}, "unknown placement '_base'"),
        ({"seed": -1}, "seed = -1; it must be an integer >= 0"),
        ({"seed": 1.5}, "seed = 1.5"),
        ({"speed": 1}, "'auto' has no option 'speed'; it has effort"),
        (
            {"method": "annealing", "speed": 1},
            "'annealing' has no option 'speed'; it has moves_",
        ),
        ({"problem": 1}, "'auto' has no option 'problem'; it has effort"),
        ({"method": "sequential", "speed": 1}, "'sequential' has no option 'speed'; it has none"),
        ({"method": "annealing", "moves_per_core": 0}, "moves_per_core = 0; it must be an integer"),
        ({"method": "annealing", "coldest": 2.0}, "expected 0 < coldest <= hottest"),
        ({"method": "annealing", "hottest": float("nan")}, "hottest = nan"),
        ({"method": "genetic", "population": 1}, "genetic: population = 1; .* >= 2"),
        ({"method": "genetic", "iterations": 0}, "genetic: iterations = 0; .* >= 1"),
        ({"method": "tabu", "work": 1.5}, "tabu: work = 1.5; it must be an integer >= 1"),
        ({"method": "spectral", "angles": 0}, "spectral: angles = 0"),
        ({"method": "force_directed", "rounds": True}, "force_directed: rounds = True"),
        ({"effort": 0.0}, "auto: effort = 0.0; it must be finite and > 0"),
        ({"time_limit_s": -1.0}, "time_limit_s = -1.0; it must be finite and > 0"),
        (
            {"objective": "hops"},
            "unknown objective 'hops'; there are packet_hops, max_link",
        ),
        ({"objective": 3}, "objective = 3; expected a name"),
        (
            {"objective": {"energy": -1}},
            "objective 'energy': weight -1; it must be finite and >= 0",
        ),
        ({"objective": {"packet_hops": 0}}, "objective: no term has a weight above 0"),
        ({"allowed": np.ones((4, 3), bool)}, r"allowed is bool of shape \(4, 3\); .* \(4, 4\)"),
        ({"allowed": np.ones((4, 4))}, "allowed is float64"),
        ({"objective": "energy", "routing": "odd_even"}, "'odd_even' is adaptive from .* determin"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(MappingError, match=message):
        place(random_traffic(4, 0), Mesh(2, 2), **arguments)


def test_costs_that_cannot_be_exact_are_refused():
    huge = Traffic.from_matrix([[0, 2**52], [2**52, 0]], 1.0)
    with pytest.raises(MappingError, match=r"placement: 9.01e\+15 packets .* exceed 2\^53"):
        place(huge, Mesh(2, 1))


def test_too_small_a_mesh_is_refused():
    with pytest.raises(MappingError, match=r"5 logical cores do not fit on the 4 .*: 1 short"):
        place(random_traffic(5, 0), Mesh(2, 2))
