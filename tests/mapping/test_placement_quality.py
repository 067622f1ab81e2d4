"""Known optima: planted grids, rings, and instances of QAPLIB."""

from pathlib import Path

import numpy as np
import pytest

from experiments.datasets.catalogue import search_places
from mapping import Mesh, Traffic, metrics, place
from mapping.placement import placement_cost
from mapping.placement._circles import angles_of, cut
from mapping.placement._eigenvectors import smoothest
from mapping.qaplib import read_instance, read_solution
from simulator.errors import DataError

# Nugent, Vollmann, Ruml, Operations Research 16, 1968; optimum 578.
NUG12_FLOWS = """
0 5 2 4 1 0 0 6 2 1 1 1   5 0 3 0 2 2 2 0 4 5 0 0   2 3 0 0 0 0 0 5 5 2 2 2
4 0 0 0 5 2 2 10 0 0 5 5  1 2 0 5 0 10 0 0 0 5 1 1  0 2 0 2 10 0 5 1 1 5 4 0
0 2 0 2 0 5 0 10 5 2 3 3  6 0 5 10 0 1 10 0 0 0 5 0 2 4 5 0 0 1 5 0 0 0 10 10
1 5 2 0 5 5 2 0 0 0 5 0   1 0 2 5 1 4 3 5 10 5 0 2  1 0 2 5 1 0 3 0 10 0 2 0
"""


def shuffled_grid(mesh, seed):
    """A packet per grid edge between cores whose numbers are shuffled: optimum, one hop each."""
    n = mesh.n_cores
    shuffled = np.random.default_rng(seed).permutation(n)
    packets = np.zeros((n, n), dtype=int)
    packets[np.ix_(shuffled, shuffled)] = np.triu(mesh.distances == 1)
    return Traffic.from_matrix(packets, 1.0)


def folder():
    for place_, _ in search_places():
        if (place_ / "qaplib" / "nug12.dat").is_file():
            return place_ / "qaplib"
    pytest.skip("the instances of QAPLIB are not here")


def test_nug12_reaches_its_optimum():
    flows = np.array(NUG12_FLOWS.split(), dtype=int).reshape(12, 12)
    traffic = Traffic.from_matrix(flows, 1.0)
    for seed in range(5):
        assert place(traffic, Mesh(4, 3), seed=seed, effort=0.1).cost == 578
        assert place(traffic, Mesh(4, 3), "tabu", seed=seed, work=2_000_000).cost == 578


@pytest.mark.parametrize(("width", "height"), [(8, 8), (16, 16), (12, 7), (40, 4)])
def test_planted_grids_are_found(width, height):
    mesh = Mesh(width, height)
    for seed in range(3):
        traffic = shuffled_grid(mesh, seed)
        placement = place(traffic, mesh, seed=seed)
        assert placement.cost == traffic.n_packets == 2 * width * height - width - height


@pytest.mark.parametrize(
    ("width", "height"), [(5, 5), (8, 8), (16, 16), (12, 8), (16, 8), (7, 24), (32, 32)]
)
def test_planted_tori_are_found(width, height):
    # Square ones and those whose sides divide each other have four equal eigenvalues.
    mesh = Mesh(width, height, torus=True)
    traffic = shuffled_grid(mesh, 4)
    assert place(traffic, mesh, "spectral", seed=1).cost == traffic.n_packets == 2 * mesh.n_cores
    # `auto` has nothing to search then.
    assert place(traffic, mesh, seed=1).cost == traffic.n_packets


@pytest.mark.parametrize("turn", range(5))
def test_two_angles_are_read_off_points_turned_in_four_dimensions(turn):
    rng = np.random.default_rng(turn)
    x, y = rng.uniform(0.0, 2.0 * np.pi, (2, 200))
    rotation, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    points = rotation @ np.array([np.cos(x), np.sin(x), np.cos(y), np.sin(y)])
    found = angles_of(points)[2:]  # after the planes of two vectors each, which mean nothing here
    for true in (x, y):
        # Either angle is there, up to where it starts and which way it runs.
        fit = [abs(np.mean(np.exp(1j * (sign * a - true)))) for a in found for sign in (1, -1)]
        assert max(fit) > 1.0 - 1e-9


def test_angles_are_cut_between_their_clusters():
    rng = np.random.default_rng(0)
    column = rng.integers(0, 12, 300)
    angle = 2.0 * np.pi * column / 12 + 0.9 + rng.uniform(-0.2, 0.2, 300)
    found = np.floor(cut(angle, 12) / (2.0 * np.pi / 12)).astype(int)
    assert np.unique((found - column) % 12).size == 1


def test_a_planted_grid_without_some_cores_is_found():
    mesh = Mesh(6, 6, faulty_cores=(7, 22))
    usable = mesh.usable_cores
    near = np.triu(mesh.distances == 1)[np.ix_(usable, usable)]
    shuffled = np.random.default_rng(2).permutation(usable.size)
    packets = np.zeros_like(near, dtype=int)
    packets[np.ix_(shuffled, shuffled)] = near
    assert place(Traffic.from_matrix(packets, 1.0), mesh, effort=0.3).cost == near.sum()


@pytest.mark.parametrize("n", [100, 900])
def test_smooth_vectors_are_those_of_a_path(n):
    # A path's are cosines: L x = (2 - 2 cos(pi k / n)) x for x_j = cos(pi k (j + 1/2) / n). With
    # all masses 2 (and lambda halved); many nodes take the subspace iteration.
    packets = np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    rng = np.random.default_rng(0)
    found = smoothest(packets, 2, False, rng)
    for k in (1, 2):
        exact = np.cos(np.pi * k * (np.arange(n) + 0.5) / n)
        vector = found[:, k - 1]
        overlap = abs(vector @ exact) / np.linalg.norm(vector) / np.linalg.norm(exact)
        assert overlap > 1 - 1e-3  # coordinates need no digits


def test_link_loads_are_spread_if_that_is_the_objective():
    rng = np.random.default_rng(1)
    mesh = Mesh(4, 4)
    traffic = Traffic.from_matrix(rng.integers(0, 50, (16, 16)), 1.0)
    by_hops = place(traffic, mesh, effort=0.05)
    by_load = place(traffic, mesh, effort=0.05, objective="max_link_load")

    def heaviest(placement):
        loads = metrics.link_loads(traffic, placement.core_of, mesh, "xy")
        return metrics.maximum_link_load(loads)

    assert by_load.value == heaviest(by_load) < heaviest(by_hops)
    assert by_hops.cost < by_load.cost


def test_energy_prefers_the_cheaper_direction():
    # Two rows of two: hops along a row cost less than along a column.
    packets = np.zeros((4, 4), dtype=int)
    packets[0, 1] = packets[2, 3] = 10
    packets[0, 2] = packets[1, 3] = 1
    traffic = Traffic.from_matrix(packets, 1.0)
    found = place(traffic, Mesh(2, 2), objective="energy", effort=0.01)
    y = found.core_of // 2
    assert y[0] == y[1] != y[2] == y[3]
    assert found.value == pytest.approx(20 * 3.0 + 2 * 4.0 + 22 * 1.7)


def test_a_search_can_be_watched_and_ended():
    traffic = Traffic.from_matrix(np.random.default_rng(0).integers(0, 9, (20, 20)), 1.0)
    for method in ("auto", "annealing", "genetic", "tabu", "force_directed"):
        seen = []

        def watch(progress, seen=seen):
            seen.append(progress)
            return len(seen) < 3

        found = place(traffic, Mesh(5, 4), method, progress=watch)
        assert len(seen) == 3
        assert found.value >= seen[-1].best
    assert place(traffic, Mesh(5, 4), effort=1e9, time_limit_s=0.05).cost > 0


def test_damaged_instances_are_refused(tmp_path: Path):
    def written(text):
        (tmp_path / "some.dat").write_text(text)
        return tmp_path / "some.dat"

    instance = read_instance(written("2\n0 1\n1 0\n\n0 7\n3 0\n"))
    assert (str(instance.mesh), instance.traffic.packets.tolist()) == ("2x1 mesh", [[0, 7], [3, 0]])
    with pytest.raises(DataError, match="holds 4 numbers; expected n and two matrices"):
        read_instance(written("2 0 1 1"))
    with pytest.raises(DataError, match="neither matrix holds the distances of a 2-core rectangle"):
        read_instance(written("2 0 2 2 0 0 7 7 0"))
    with pytest.raises(DataError, match="something that is not an integer"):
        read_instance(written("2 a"))
    with pytest.raises(DataError, match="cannot be read"):
        read_instance(tmp_path / "none.dat")
    value, order = read_solution(written("3 17\n2,3 1"))
    assert (value, order.tolist()) == (17, [1, 2, 0])
    with pytest.raises(DataError, match="and a permutation of"):
        read_solution(written("3 17 2 2 1"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nug12", "nug15", "nug20", "nug25", "nug30", "tho30"])
def test_instances_of_qaplib_reach_their_optimum(name):
    traffic, mesh = read_instance(folder() / f"{name}.dat")
    optimum, order = read_solution(folder() / f"{name}.sln")
    known = [placement_cost(traffic, p, mesh) for p in (order, np.argsort(order))]
    assert optimum in known
    for seed in range(10):
        assert place(traffic, mesh, seed=seed).cost == optimum


@pytest.mark.slow
def test_sko100a_comes_near_its_best_known_value():
    traffic, mesh = read_instance(folder() / "sko100a.dat")
    best, _ = read_solution(folder() / "sko100a.sln")
    assert best <= place(traffic, mesh).cost <= 1.002 * best


@pytest.mark.slow
def test_a_large_planted_grid_is_found():
    mesh = Mesh(32, 32)
    assert place(shuffled_grid(mesh, 0), mesh).cost == 1984
