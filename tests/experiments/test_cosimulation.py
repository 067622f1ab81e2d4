"""The experiment `cosimulation`: a small run of it, its page, its measures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from experiments.cosimulation import Config
from experiments.cosimulation_parts.balanced import interval_cv
from experiments.cosimulation_parts.report import row_name, write_report
from experiments.run_directory import RunDirectory
from simulator import DataError
from tests.uncompiled import uncompiled_python


def test_a_small_run_and_its_page(tmp_path: Path) -> None:
    settings = {"presentations": 3, "tested": 2, "cycles_per_ms": 32, "mesh": "3x2"}
    pairs = [part for k, v in settings.items() for part in ("--set", f"{k}={v}")]
    run = tmp_path / "run"
    uncompiled_python("-m", "experiments.cli", "run", "cosimulation", *pairs, "--out", run)
    found = RunDirectory.open(run)
    results = found.results
    assert results["packets"] > 500
    assert results["latency_mean_ms"] > 12 / 32  # two hops and the ends take twelve cycles
    assert results["latency_mean_ms"] <= results["latency_p99_ms"] <= results["latency_maximum_ms"]
    assert 0.0 <= results["disorder"] <= 1.0
    assert 0.0 < results["rms"] <= 1.0
    page, picture = write_report({row_name("wtcrl", 32.0): [found]}, tmp_path / "results")
    text = page.read_text(encoding="utf-8")
    assert "3x2" in text
    assert f"| 32 | 1 | {results['rms']:.3f} |" in text
    assert picture.stat().st_size > 10_000


def test_the_variation_of_intervals_is_that_of_each_neuron() -> None:
    regular, other = np.arange(0.0, 50.0, 5.0), np.array([0.0, 1.0, 4.0, 5.0, 8.0])
    times = np.concatenate([regular, other, [3.0, 9.0]])
    neurons = np.repeat([0, 1, 2], [regular.size, other.size, 2])
    order = np.argsort(times, kind="stable")
    expected = 1.0 / 2.0  # intervals 1, 3, 1, 3; the third neuron has too few
    assert interval_cv(times[order], neurons[order]) == pytest.approx(expected / 2)
    assert interval_cv(np.empty(0), np.empty(0, np.int64)) == 0.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"cycles_per_ms": 0.0},
        {"cycles_per_ms": math.nan},
        {"lanes": 0},
        {"tested": 0},
        {"afferent_delay": -0.1},
        {"duration_ms": 20.0, "settling_ms": 20.0},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match=next(iter(wrong))):
        Config(**wrong)  # type: ignore[arg-type]


def test_without_runs_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no run"):
        write_report({}, tmp_path)
