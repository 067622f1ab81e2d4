"""The experiment `etdp-count`: its measures, its page, and tiny runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments import RunDirectory
from experiments.etdp_count import WEIGHT, Config, make_task, measures
from experiments.etdp_count_parts.reproduction import REPRODUCTION
from simulator.errors import DataError
from tests.uncompiled import uncompiled_python


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("etdp_count")
    uncompiled_python("-m", "tests.experiments.etdp_count_cases", path)
    return path


def test_neurons_get_nearer_to_their_number(folder: Path) -> None:
    run = RunDirectory.open(folder / "whole")
    names = {path.name for path in run.files()}
    assert {"run.json", "weights.npz", "counts.npz", "potentials.npz", "course.png"} <= names
    counts = run.arrays("counts")["counts"]
    assert abs(counts[-1] - 4).sum() < abs(counts[0] - 4).sum()
    # Nothing moves from there, and the spikes after learning are those of the last epoch or one on.
    assert run.results["first_count"] == counts[0].mean()
    v = run.arrays("potentials")
    assert v["spikes_before"].size == counts[0, 0]
    assert np.all(v["before"] <= 1.0 + 1e-9)
    if counts[-1, 0] == 4:
        assert v["spikes_after"].size == 4


def test_a_resumed_run_has_the_bits_of_a_whole_one(folder: Path) -> None:
    whole, again = (RunDirectory.open(folder / name) for name in ("whole", "again"))
    assert again.record["state"] == "finished"
    assert whole.arrays("counts")["counts"].shape[0] > 4
    assert np.array_equal(again.arrays("counts")["counts"], whole.arrays("counts")["counts"])
    assert np.array_equal(again.weights()["plastic"], whole.weights()["plastic"])


def test_a_neuron_is_given_the_same_in_every_run() -> None:
    few, many = (make_task(Config(neurons=n), 5) for n in (2, 4))
    assert np.array_equal(few.weights, many.weights[:1000])
    assert np.array_equal(few.times, many.times[: few.times.size])
    shifted = make_task(Config(neurons=1), 6)
    assert np.array_equal(shifted.weights, few.weights[500:])
    assert few.weights.mean() == pytest.approx(WEIGHT, abs=0.002)
    assert few.times.size == pytest.approx(2 * 500 * 4.0 * 0.5, rel=0.1)
    assert few.afferents.max() < 1000


def test_the_epochs_are_counted_to_the_first_success() -> None:
    counts = np.array([[0, 3, 5], [2, 3, 4], [3, 3, 4], [3, 2, 4]])
    found = measures(counts, 3)
    assert (found["learned"], found["epochs"]) == (2, [2, 0])
    assert (found["mean_epochs"], found["median_epochs"]) == (1.0, 1.0)
    assert found["spread_epochs"] == pytest.approx(np.sqrt(2.0))
    none = measures(counts, 9)
    assert none["learned"] == 0
    assert "mean_epochs" not in none


def test_the_sweep_and_the_result_share_no_seed() -> None:
    seeds: dict[str, set[int]] = {"sweep": set(), "final": set()}
    for cell in REPRODUCTION.cells:
        n = int(str(cell.settings.get("neurons", Config().neurons)))
        seeds[cell.row.split("-")[0]] |= set(range(cell.seed, cell.seed + n))
    assert len(seeds["final"]) == 20
    assert seeds["sweep"].isdisjoint(seeds["final"])


def test_the_page_has_every_run(folder: Path, tmp_path: Path) -> None:
    run = RunDirectory.open(folder / "whole")
    rows = {"final-4hz-etdp": [run], "sweep-4hz-etdp-0.0005": [run]}
    files = REPRODUCTION.write(rows, tmp_path)
    assert {file.name for file in files} == {
        "etdp-count.md",
        "etdp-count-4hz.png",
        "etdp-count-sweep.png",
    }
    text = (tmp_path / "etdp-count.md").read_text(encoding="utf-8")
    assert f"| 4 Hz | etdp | 0.003 | {run.results['learned']} of 2 |" in text
    with pytest.raises(DataError, match="no run"):
        REPRODUCTION.write({}, tmp_path)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"step": -1.0}, {"neurons": 0}, {"tau_m": 5.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match=f"setting '{next(iter(wrong))}'"):
        Config(**wrong)  # type: ignore[arg-type]
