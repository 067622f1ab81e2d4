"""The experiment `song2000`: its measures in closed form, and a tiny run through the front door."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from experiments import RunDirectory
from experiments.song2000 import G_MAX, Config, measures
from experiments.song2000_parts.reproduction import REPRODUCTION
from simulator.errors import DataError
from tests.uncompiled import uncompiled_python

# 150 inputs of 60 Hz are as strong as 900 of 10 Hz.
SETTINGS = ("duration=0.45", "rate=60", "n_excitatory=150", "n_inhibitory=10", "a_plus=0.1")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """With the compiler off: the loop of this network serves no other test."""
    path = tmp_path_factory.mktemp("song2000") / "run"
    settings = [word for text in (*SETTINGS, "samples=4") for word in ("--set", text)]
    command = ["-m", "experiments.cli", "run", "song2000", "--out", path, "--seed", 4]
    uncompiled_python(*command, *settings)
    return RunDirectory.open(path)


def test_every_file_is_written(finished: RunDirectory) -> None:
    names = {path.name for path in finished.files()}
    assert names == {"run.json", "weights.npz", "history.npz", "spikes.npz", "weights.png"}
    assert json.loads((Path(finished.path) / "run.json").read_text())["state"] == "finished"


def test_additive_weights_spread_where_multiplicative_ones_stay_together(
    finished: RunDirectory,
) -> None:
    weights = {name: w.ravel() / G_MAX for name, w in finished.weights().items()}
    assert all(w.size == 150 and w.min() >= 0.0 and w.max() <= 1.0 for w in weights.values())
    assert weights["to additive"].std() > 1.5 * weights["to multiplicative"].std()
    assert np.ptp(weights["to additive"]) > 1.5 * np.ptp(weights["to multiplicative"])


def test_the_results_are_those_of_the_files(finished: RunDirectory) -> None:
    history, spikes = finished.arrays("history"), finished.arrays("spikes")
    assert history["times_ms"].tolist() == pytest.approx([0.0, 150.0, 300.0, 450.0])
    for name in ("additive", "multiplicative"):
        assert spikes[name].size > 3
        assert np.all(history[name][0] == G_MAX)
        assert np.array_equal(history[name][-1], finished.weights()[f"to {name}"].ravel())
        assert finished.results[f"{name}_mean"] == pytest.approx(history[name][-1].mean() / G_MAX)
        late = (spikes[name] > 300.0).sum() / 0.15
        assert finished.results[f"{name}_rate_hz"] == pytest.approx(late)


def test_the_page_has_what_every_seed_measured(finished: RunDirectory, tmp_path: Path) -> None:
    page, picture = REPRODUCTION.write({"default": [finished, finished]}, tmp_path)
    assert (page.name, picture.name) == ("song2000.md", "song2000.png")
    assert picture.read_bytes() == (Path(finished.path) / "weights.png").read_bytes()
    text = page.read_text(encoding="utf-8")
    mean = finished.results["additive_mean"]
    assert f"| mean weight, of the maximum | {mean:.3f} ± 0.000 | {mean:.3g}, {mean:.3g} |" in text
    assert "`python -m experiments.reproduce song2000`" in text
    with pytest.raises(DataError, match="no run"):
        REPRODUCTION.write({}, tmp_path)


def test_the_bimodality_coefficient_of_known_distributions() -> None:
    none = np.empty(0)
    assert measures(np.repeat([0.0, 1.0], 500), none, 1.0)["bimodality"] == pytest.approx(1.0)
    uniform = (np.arange(10_000) + 0.5) / 10_000
    assert measures(uniform, none, 1.0)["bimodality"] == pytest.approx(5 / 9, abs=1e-4)
    normal = np.clip(np.random.default_rng(1).normal(0.5, 0.1, 200_000), 0, 1)
    assert measures(normal, none, 1.0)["bimodality"] == pytest.approx(1 / 3, abs=0.01)
    assert measures(np.ones(5), none, 1.0)["bimodality"] == 1.0


def test_the_shares_the_rate_and_its_irregularity() -> None:
    found = measures(np.array([0.05, 0.45, 0.5, 0.95]), np.array([1.0, 7.0, 8.0, 10.0]), 9.0)
    assert (found["low"], found["middle"], found["high"]) == (0.25, 0.5, 0.25)
    assert found["rate_hz"] == pytest.approx(3 / 3.0 * 1000.0)
    assert found["cv"] == pytest.approx(0.5 / 1.5)


@pytest.mark.parametrize("wrong", [{"rate": 0.0}, {"samples": 1}, {"a_plus": 0.97}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match=f"setting '{next(iter(wrong))}'"):
        Config(**wrong)  # type: ignore[arg-type]
