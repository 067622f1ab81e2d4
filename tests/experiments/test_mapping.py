"""The experiment `mapping`: its problems, its studies in small, and the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments import run_experiment
from experiments.mapping import Config
from experiments.mapping_parts import exchanging, networks, report
from experiments.mapping_parts.networks import NetworkCase, draw_sheet
from experiments.mapping_parts.problems import planted_grid, qaplib_instance
from experiments.mapping_parts.reproduction import REPRODUCTION
from experiments.run_directory import RunDirectory
from mapping import Mesh
from simulator.errors import DataError

PLAIN = ("sequential", "serpentine")


def test_an_instance_is_found_among_the_data_sets(tmp_path: Path) -> None:
    folder = tmp_path / "qaplib"
    folder.mkdir()
    mesh = Mesh(3, 2)
    flow = np.arange(36).reshape(6, 6) % 5
    np.fill_diagonal(flow, 0)
    matrices = "\n".join(
        " ".join(map(str, row)) for matrix in (mesh.distances, flow) for row in matrix
    )
    (folder / "tiny6.dat").write_text(f" 6\n\n{matrices}\n")
    (folder / "tiny6.sln").write_text(" 6  77\n 1 2 3 4 5 6\n")
    instance = qaplib_instance("tiny6", tmp_path)
    assert np.array_equal(instance.traffic.packets, flow)
    assert (instance.mesh.width, instance.mesh.height) == (3, 2)
    assert instance.best == 77
    with pytest.raises(DataError, match=r"nug999\.dat and nug999\.sln were not found"):
        qaplib_instance("nug999", tmp_path)
    with pytest.raises(DataError, match="it is a name such as nug12"):
        qaplib_instance("../nug12", tmp_path)


def test_planted_grids_have_the_edges_of_the_grid() -> None:
    for side, torus, edges in ((2, False, 4), (16, False, 480), (3, True, 18), (16, True, 512)):
        instance = planted_grid(side, seed=3, torus=torus)
        assert instance.best == edges == instance.traffic.n_packets
        label = np.random.default_rng(3).permutation(side * side)
        hops = instance.mesh.distances[np.ix_(label, label)]
        assert int((instance.traffic.packets * hops).sum()) == edges


def test_the_sheet() -> None:
    graph = draw_sheet(320, 80, 20, reach=0.05, seed=1)
    assert graph.n_neurons == 400
    assert graph.n_synapses == 8_000
    again = draw_sheet(320, 80, 20, reach=0.05, seed=1)
    assert np.array_equal(graph.spike_counts, again.spike_counts)
    # Displacements on the torus of the sheet: most targets are near, as drawn.
    near = total = 0
    for neuron in range(320):
        targets = graph.targets(neuron)
        targets = targets[targets < 320]
        gaps = []
        for ours, theirs in zip(divmod(neuron, 19), divmod(targets, 19), strict=True):
            gap = np.abs(theirs - ours) / 17.5
            gaps.append(np.minimum(gap, 1 - gap))
        near += int((np.hypot(*gaps) < 0.2).sum())
        total += targets.size
    assert 0.8 < near / total < 0.98


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    def graph(context: Any) -> Any:
        return draw_sheet(120, 40, 8, reach=0.1, seed=context.seed)

    cases = {"wtcrl": NetworkCase("small sheet, 160 neurons", graph, "4x4", {})}
    monkeypatch.setattr("experiments.mapping_parts.placing.NETWORKS", cases)
    monkeypatch.setattr("experiments.mapping_parts.report.NETWORKS", cases)
    monkeypatch.setattr(exchanging, "GRIDS", {4: (2, 2), 8: (2, 4)})
    monkeypatch.setattr(exchanging, "LARGEST", 5)
    monkeypatch.setattr(exchanging, "MOVES", 20)


@pytest.mark.usefixtures("small")
def test_the_studies_and_the_page(tmp_path: Path) -> None:
    plain = {"placements": PLAIN, "partitions": ("sequential",), "seeds": 2}
    runs = {
        "network-wtcrl": {"study": "network", **plain},
        "planted-8": {"study": "planted", "side": 4, **plain},
        "layers": {"study": "layers"},
        "exchange": {"study": "exchange"},
    }
    rows = {
        name: [run_experiment("mapping", out=tmp_path / name, settings=settings)]
        for name, settings in runs.items()
    }
    network = rows["network-wtcrl"][0].results
    assert network["packets"] <= network["degree_bound"]
    for name in PLAIN:
        found = network["placements"][name]
        assert network["degree_bound"] <= found["least"] == found["cost"] == found["greatest"]
    planted = rows["planted-8"][0].results
    assert planted["best"] == planted["degree_bound"] == 24
    exchange = rows["exchange"][0].results
    for row in exchange["hops"]:
        assert row["counted"] == row["formula"]
    for row in exchange["exchanges"]:
        for found in row["placements"].values():
            assert found["slots"] >= row["placements"]["loop"]["slots"] == row["n"] - 1
    for found in exchange["loops"].values():
        assert found["grids"] == found["right"]

    files = report.write_report(rows, tmp_path / "pages")
    assert all(path.exists() for path in files)
    page = files[0].read_text(encoding="utf-8")
    assert files[0].name == "mapping.md"
    for cell in (
        "| A(#nodes = 4) | (7, 4, 1, 16) | 112 |",
        "small sheet",
        "| 8 (2 x 4) | 56 | 56 |",
    ):
        assert cell in page
    for path in files[1:]:
        assert f"({path.name})" in page


@pytest.mark.usefixtures("small")
def test_a_resumed_run_makes_only_what_is_missing(tmp_path: Path) -> None:
    settings = {"study": "network", "placements": PLAIN, "partitions": ("sequential",), "seeds": 1}
    whole = run_experiment("mapping", out=tmp_path / "run", settings=settings)
    kept = (whole.path / "placement-sequential-sequential-1.json").stat().st_mtime_ns
    (whole.path / "placement-sequential-serpentine-1.json").unlink()
    whole.update(results={})
    whole.close("interrupted")
    again = run_experiment("mapping", out=tmp_path / "run", resume=True)
    assert (whole.path / "placement-sequential-sequential-1.json").stat().st_mtime_ns == kept
    assert (whole.path / "placement-sequential-serpentine-1.json").exists()
    placements = again.results["placements"]
    assert placements["serpentine"]["cost"] > 0
    assert RunDirectory.open(tmp_path / "run").record["state"] == "finished"


def test_without_runs_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to report"):
        report.write_report({}, tmp_path)


def test_what_is_refused() -> None:
    with pytest.raises(DataError, match="'seeds' = 0"):
        Config(seeds=0)
    with pytest.raises(DataError, match="'side' = 1"):
        Config(side=1)


def test_the_cells_are_the_networks_and_the_problems() -> None:
    rows = [cell.row for cell in REPRODUCTION.cells]
    assert len(set(rows)) == len(rows)
    assert {f"network-{name}" for name in networks.NETWORKS} < set(rows)
