"""The experiment `distal-reward`: wiring, measures, and a tiny run through the front door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments import RunDirectory
from experiments.distal_reward import Config, wire
from experiments.distal_reward_parts.measures import follows, lags, measure
from experiments.distal_reward_parts.reproduction import REPRODUCTION
from simulator.errors import DataError
from tests.uncompiled import uncompiled_python

# So much noise that the two neurons are rewarded within seconds.
SETTINGS = (
    "duration=3.4", "n=15", "out_degree=5", "noise=18", "noise_rate=70", "amount=2", "samples=8"
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """With the compiler off: the loop of this network serves no other test."""
    path = tmp_path_factory.mktemp("distal-reward") / "run"
    settings = [word for text in SETTINGS for word in ("--set", text)]
    uncompiled_python("-m", "experiments.cli", "run", "distal-reward", "--out", path, *settings)
    return RunDirectory.open(path)


def test_rewards_come_for_pairs_one_to_three_seconds_late(finished: RunDirectory) -> None:
    course = finished.arrays("course")
    first, second, rewards = (course[f"{name}_ms"] for name in ("first", "second", "rewards"))
    gaps = [t - first[first < t].max() for t in second if (first < t).any()]
    pairs = second[-len(gaps) :][np.array(gaps) < 10.0]
    assert 0 < rewards.size <= pairs.size
    for t in rewards:
        assert ((t - pairs >= 1000.0) & (t - pairs <= 3000.0)).any()
    # All pairs before the last three seconds have had theirs.
    assert rewards.size >= (pairs < 400.0).sum() > 0


def test_weights_move_within_their_bounds_once_dopamine_is_there(finished: RunDirectory) -> None:
    assert {path.name for path in finished.files()} == {
        "run.json", "weights.npz", "course.npz", "distal_reward.png"
    }  # fmt: skip
    w, course = finished.weights()["plastic"], finished.arrays("course")
    assert w.shape == (12 * 5,)
    assert w.min() >= 0.0
    assert w.max() <= 4.0
    assert (course["rewarded"][0], course["quantiles"][:, 0].tolist()) == (0.0, [0.5, 0.5, 0.5])
    assert np.all(np.diff(course["quantiles"], axis=0) >= 0.0)
    start, end = (np.ptp(course["quantiles"][:, k]) for k in (1, -1))
    assert end > 3.0 * start > 0.0
    results = finished.results
    assert results["rewards"] == course["rewards_ms"].size
    assert results["weight"] == pytest.approx(course["rewarded"][-1] / 4.0)
    assert results["rate_hz"] > 5.0


INTERRUPTED = """
import sys
from experiments import distal_reward as module, run_experiment

module.CHECKPOINT_S = -1.0
settings = dict(text.split("=") for text in sys.argv[2:])
run = module.Trainer.run

def stop(self, until):
    if until > 2_000.0 and not resumed:
        raise KeyboardInterrupt
    run(self, until)

module.Trainer.run, resumed = stop, False
try:
    run_experiment("distal-reward", settings=settings, out=sys.argv[1])
except KeyboardInterrupt:
    resumed = True
run_experiment("distal-reward", out=sys.argv[1], resume=True)
"""


def test_a_resumed_run_has_the_bits_of_a_whole_one(finished: RunDirectory, tmp_path: Path) -> None:
    uncompiled_python("-c", INTERRUPTED, tmp_path / "run", *SETTINGS)
    resumed = RunDirectory.open(tmp_path / "run")
    saved, course = resumed.arrays("checkpoint"), finished.arrays("course")
    assert 0 < saved["rewards"].size <= saved["due"].size
    np.testing.assert_array_equal(resumed.weights()["plastic"], finished.weights()["plastic"])
    for name, values in resumed.arrays("course").items():
        np.testing.assert_array_equal(values, course[name], err_msg=name)
    assert resumed.results == finished.results


def test_the_page_says_who_did_not_find_the_synapse(finished: RunDirectory, tmp_path: Path) -> None:
    page, picture = REPRODUCTION.write({"default": [finished]}, tmp_path)
    assert (page.name, picture.name) == ("distal-reward.md", "distal-reward.png")
    text = page.read_text(encoding="utf-8")
    assert finished.results["found_s"] is None
    assert "| time at which it reached nine tenths, s | - | - |" in text
    assert f"| rewards | {finished.results['rewards']:.3f} |" in text
    assert {cell.seed for cell in REPRODUCTION.cells} == {1, 2, 3}


def test_excitatory_neurons_reach_all_and_inhibitory_ones_the_excitatory() -> None:
    config = Config(n=50, out_degree=12)
    wiring = wire(config, np.random.default_rng(1))
    for (pre, post), senders, reached in (
        (wiring.plastic, range(40), 50), (wiring.inhibitory, range(40, 50), 40)
    ):  # fmt: skip
        assert sorted(set(pre.tolist())) == list(senders)
        assert np.all(np.bincount(pre)[senders.start :] == 12)
        assert np.unique(pre * 50 + post).size == pre.size
        assert np.all(pre != post)
        assert post.max() < reached
    pair = wiring.plastic[0][wiring.chosen], wiring.plastic[1][wiring.chosen]
    assert pair == (wiring.first, wiring.second)
    assert wiring.second < 40


def test_the_measures() -> None:
    first, second = np.array([10.0, 50.0, 250.0, 280.0]), np.array([5.0, 18.0, 251.0, 291.0])
    assert follows(first, second) == 0.5
    assert follows(np.empty(0), second) == 0.0
    assert lags(first, second, 9.0).tolist() == [-5.0, 8.0, 1.0]
    found = measure(
        np.array([0.0, 100.0, 200.0, 300.0]), np.array([0.0, 0.5, 0.95, 0.9]),
        np.array([0.1, 0.2, 0.95, 0.3]), first, second, 7, 300.0,
    )  # fmt: skip
    assert found["weight"] == 0.9
    assert found["rank"] == 0.75
    assert found["found_s"] == 0.2
    assert (found["follows_early"], found["follows_late"]) == (0.5, 0.5)
    never = measure(np.zeros(2), np.zeros(2), np.zeros(2), first, second, 0, 300.0)
    assert never["found_s"] is None


@pytest.mark.parametrize("wrong", [{"window": 0.0}, {"out_degree": 800}, {"samples": 1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(DataError, match=f"setting '{next(iter(wrong))}'"):
        Config(**wrong)  # type: ignore[arg-type]
