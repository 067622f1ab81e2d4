"""Reproductions: finished runs stay, interrupted ones go on, and the page says what they found."""

from __future__ import annotations

import json
import re
import statistics

import pytest

from experiments import RunDirectory, reproduce
from experiments.reproduce import Cell, Reproduction
from experiments.wtcrl_parts import report
from experiments.wtcrl_parts.reproduction import REPRODUCTION
from simulator.errors import DataError

RESULTS = {
    "rms": 0.1, "rms_firing": 0.09, "rms_nearest": 0.08, "sparsity": 0.0625,
    "incoherence_5": 0.1, "incoherence_10": 0.05, "silent": 0.01, "spikes_per_patch": 1.0,
    "spikes_per_patch_early": 2.5, "spikes_per_patch_training": 1.1,
    "rms_noisy_test": 0.2, "silent_noisy_test": 0.05,
}  # fmt: skip


def finished_run(path, rms, seed):
    directory = RunDirectory.create(path, experiment="wtcrl", parameters={}, seed=seed)
    with directory:
        directory.update(
            results={**RESULTS, "rms": rms}, timings={"presentations_per_s": 10_000.0 + seed}
        )
    return directory


@pytest.fixture
def in_this_process(monkeypatch):
    """Run cells one after the other here, so that a test can count them."""
    ran = []

    def run_all(experiment, cells, folder, jobs, reporter):
        for cell in cells:
            ran.append((cell.row, cell.seed))
            reproduce._run(experiment, cell, folder)

    monkeypatch.setattr(reproduce, "_run_all", run_all)
    return ran


@pytest.mark.usefixtures("tiny")
def test_only_what_is_missing_is_run(tmp_path, monkeypatch, in_this_process):
    seen = {}

    def write(rows, folder):
        seen.update({row: [run.record["seed"] for run in runs] for row, runs in rows.items()})
        return [folder / "page"]

    cells = [Cell(row, {"n": n}, seed) for seed in (1, 2) for row, n in (("two", 2), ("six", 6))]
    monkeypatch.setattr(reproduce, "_find", lambda name: Reproduction("tiny", cells, write))
    where = {"runs": tmp_path, "results": tmp_path / "pages"}
    assert reproduce.reproduce("clock", only=["six"], **where) == [tmp_path / "pages" / "page"]
    assert in_this_process == [("six", 1), ("six", 2)]
    assert seen == {"six": [1, 2]}
    in_this_process.clear()
    reproduce.reproduce("clock", **where)
    assert in_this_process == [("two", 1), ("two", 2)]
    # A run of settings that are no longer those of its cell is not taken for it.
    other = tmp_path / "clock" / "six" / "seed-2" / "run.json"
    record = json.loads(other.read_text())
    record["parameters"]["n"] = 5
    other.write_text(json.dumps(record))
    in_this_process.clear()
    reproduce.reproduce("clock", **where)
    assert in_this_process == [("six", 2)]
    assert json.loads(other.read_text())["parameters"]["n"] == 6


@pytest.mark.usefixtures("tiny", "in_this_process")
def test_a_reproduction_that_was_stopped_goes_on(tmp_path, monkeypatch):
    cells = [Cell("stopping", {"end": "interrupt"})]
    pages = []
    found = Reproduction("tiny", cells, lambda rows, folder: pages.append(len(rows)) or [])
    monkeypatch.setattr(reproduce, "_find", lambda name: found)
    with pytest.raises(KeyboardInterrupt):
        reproduce.reproduce("clock", runs=tmp_path, results=tmp_path / "pages")
    assert not pages
    stopped = RunDirectory.open(tmp_path / "clock" / "stopping" / "seed-1")
    assert stopped.record["state"] == "interrupted"
    both = Reproduction("tiny", cells, lambda *given: shown.append(given) or [], shows_begun=True)
    shown = []
    monkeypatch.setattr(reproduce, "_find", lambda name: both)
    reproduce.reproduce("clock", only=["nothing"], runs=tmp_path, results=tmp_path / "pages")
    rows, folder, begun = shown[0]
    assert (rows, folder) == ({}, tmp_path / "pages")
    assert [run.path for run in begun["stopping"]] == [stopped.path]
    monkeypatch.setattr(reproduce, "_find", lambda name: found)
    reproduce.reproduce("clock", runs=tmp_path, results=tmp_path / "pages")
    assert pages == [1]
    with RunDirectory.open(stopped.path).spikes() as spikes:
        assert spikes.count("clock") == 20  # resumed, not run again: no spike twice


def test_an_unknown_reproduction_is_named(tmp_path):
    with pytest.raises(DataError, match="no reproduction 'wtcrll'; there is wtcrl"):
        reproduce.reproduce("wtcrll", runs=tmp_path, results=tmp_path)


def test_the_cells_of_wtcrl_are_what_the_page_needs():
    seeds: dict[str, set[int]] = {}
    for cell in REPRODUCTION.cells:
        seeds.setdefault(cell.row, set()).add(cell.seed)
    for m in (16, 32, 64, 128, 256):
        assert len(seeds[f"step-m{m}"]) >= 5
        assert len(seeds[f"exact-m{m}"]) >= 5
        assert len(seeds[f"natural-m{m}"]) >= 5
    assert {f"noise-{g}" for g in ("0.25", "0.5", "1", "1.5")} <= seeds.keys()
    # Nothing is chosen by what the test says: all test images, and no seed left out.
    assert all(cell.settings.get("evaluate_on", "test") == "test" for cell in REPRODUCTION.cells)
    assert all(found == set(range(1, len(found) + 1)) for found in seeds.values())


def test_a_row_is_the_mean_and_spread_over_its_seeds(tmp_path):
    errors = [0.100, 0.104, 0.111]
    runs = [finished_run(tmp_path / str(k), rms, k) for k, rms in enumerate(errors)]
    mean, spread = statistics.fmean(errors), statistics.stdev(errors)
    assert report.mean_spread(runs, "rms") == f"{mean:.3f} ± {spread:.3f}"
    assert report.mean_spread(runs[:1], "rms") == "0.100"
    assert report.mean_spread(runs, "no such measure") == "-"


def test_the_page_has_the_source_beside_every_row(tmp_path):
    rows = {
        f"step-m{m}": [finished_run(tmp_path / f"{m}-{k}", rms + 0.002 * k, k) for k in (0, 1)]
        for m, rms in ((32, 0.100), (64, 0.119))
    }
    rows["noise-0.5"] = [finished_run(tmp_path / "noise", 0.15, 1)]
    for run in rows["step-m64"]:
        for figure in ("code_vectors", "learning_curve", "presentations"):
            (run.path / f"{figure}.png").write_bytes(b"picture of " + figure.encode())
    files = report.write_report(rows, tmp_path / "results")
    names = {path.name for path in files}
    assert {"wtcrl.md", "wtcrl-code-vectors.png", "wtcrl-neurons.png", "wtcrl-noise.png"} <= names
    assert all(path.stat().st_size > 0 for path in files)
    text = (tmp_path / "results" / "wtcrl.md").read_text()
    assert "| 32 | 2 | 0.101 ± 0.001 | 0.102 | 0.99 | 0.0100 ± 0.0000 |" in text
    assert "| 64 | 2 | 0.120 ± 0.001 | 0.087 | 1.38 |" in text
    assert "Further than a tenth from the source's RMS error: m = 64 (1.38)." in text
    assert "| 0.5 | 1.100 | 0.150 | 0.0100 | 0.0625 | 0.100 | 0.200 | 0.050 |" in text
    assert "Seeds: 0, 1; 5 runs" in text
    # The page shows the pictures that are there, and no others.
    shown = set(re.findall(r"\((wtcrl-[a-z-]+\.png)\)", text))
    assert shown == names - {"wtcrl.md"}
    assert "## Photographs" not in text


def test_a_page_without_runs_is_refused(tmp_path):
    with pytest.raises(DataError, match="no run of this reproduction is finished"):
        report.write_report({}, tmp_path)
