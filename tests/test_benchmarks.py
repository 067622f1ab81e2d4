"""Every rung of the ladder at its smallest size, through the real code, without looking at times.

The compiler is off and the jobs of a rung run in one process: what is tested is that everything
runs and is reported, not that it is fast.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks import ladder, process
from benchmarks.aims import aims
from benchmarks.networks.brunel import BRUNEL, brunel
from benchmarks.networks.cuba import CUBA, cuba
from benchmarks.networks.drawn import write_drawn
from benchmarks.peers import Peers, find_peers
from benchmarks.rung import SPIKEMESH, Measured, Options, Rung, Subject, discover, median
from benchmarks.rungs import cuba as cuba_rung
from benchmarks.statistics import interval_cvs, pair_correlations, rates, statistics_of
from experiments.cli import app
from simulator.compile import compile_network
from simulator.errors import DataError, SimulationError
from tests.uncompiled import uncompiled_python

RUNGS = [
    "cuba",
    "brunel",
    "brunel_stdp",
    "wtcrl",
    "plastic",
    "dastdp",
    "scaling",
    "queue",
    "first_run",
    "recording",
    "workers",
    "statistics",
    "network",
]


CLIMB = """
import json, sys
from importlib import import_module
from pathlib import Path

from benchmarks import ladder, process
from benchmarks.peers import Peers
from benchmarks.rung import Options
from experiments.reporting import QuietReporter


def run_here(command, parameters, environment):
    module, _, function = command[-1].partition(":")
    record = getattr(import_module(module), function)(**json.loads(json.dumps(parameters)))
    more = {"process_cpu_s": 1.0, "process_wall_s": 1.0, "peak_mb": process.peak_mb()}
    return json.loads(json.dumps({**record, **more}))


class Notes(QuietReporter):
    def note(self, text):
        print(text)


process._run = run_here
folder = Path(sys.argv[1])
options = Options(Peers(), tiny=True, scratch=folder / "runs")
for path in ladder.climb(repeats=1, options=options, out=folder, reporter=Notes()):
    print("wrote", path)
"""


@pytest.fixture(scope="module")
def climbed(tmp_path_factory):
    """The whole ladder, once: (folder, files of the page, measurements, what was said)."""
    folder = tmp_path_factory.mktemp("ladder")
    output = uncompiled_python("-c", CLIMB, folder)
    content = json.loads((folder / "runs" / "measurements.json").read_text())
    lines = output.splitlines()
    files = [Path(line.removeprefix("wrote ")) for line in lines if line.startswith("wrote ")]
    return folder, files, content["rungs"], lines


def test_every_rung_is_found_in_the_order_of_the_page():
    assert list(discover()) == RUNGS


def test_every_rung_measures_something_without_peers(climbed):
    _, _, rungs, _ = climbed
    assert list(rungs) == [name for name in RUNGS if name != "statistics"]
    for subjects in rungs.values():
        for records in subjects.values():
            assert len(records) == 1
            assert records[0]["load"] >= 0.0


def test_the_engines_of_a_rung_do_the_same_work(climbed):
    cuba_records = climbed[2]["cuba"]
    spikes = [found[0]["spikes"] for name, found in cuba_records.items() if "readable" not in name]
    assert len(spikes) == 2
    assert spikes[0] > 0


def test_the_page_has_every_section_and_its_figures(climbed):
    folder, files, _, _ = climbed
    page = (folder / "bench.md").read_text()
    for rung in discover().values():
        assert f"## {rung.title}" in page
    names = [path.name for path in files]
    assert names[0] == "bench.md"
    for name in ("bench-ladder.png", "bench-scaling.png", "bench-recording.png"):
        assert name in names
        assert f"({name})" in page
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert "nan" not in page
    assert str(folder) not in page


def test_a_missing_peer_is_named_with_the_way_to_get_it(climbed):
    folder, _, _, notes = climbed
    page = (folder / "bench.md").read_text()
    for text in ("NEST, precise: not installed: `pip install nest-simulator`", "Brian2, C++"):
        assert text in page
        assert any(text in said for said in notes)


def test_all_spikes_of_the_recording_are_in_the_file(climbed):
    record = climbed[2]["recording"][SPIKEMESH][0]
    assert record["written"] == pytest.approx(1e4, rel=0.1)


def test_deliveries_under_way_are_counted(climbed):
    record = climbed[2]["queue"][SPIKEMESH][0]
    assert record["pending"] == pytest.approx(1000, rel=0.4)
    assert record["work"] > 0


# -- the runner -----------------------------------------------------------------------------------


def counting(calls: list[tuple[str, int]], fails: str = "") -> Rung:
    def subject(name: str, **more: bool) -> Subject:
        def measure(seed: int) -> dict[str, float]:
            if name == fails:
                raise SimulationError(f"{name} has no compiler")
            calls.append((name, seed))
            return {"x": float(seed)}

        return Subject(name, measure, **more)

    def subjects(options: Options) -> list[Subject]:
        return [subject("a"), subject("b", peer=True), subject("c", once=True)]

    def section(measured: Measured, folder: Path) -> list[str]:
        return [f"{name}: {measured.median(name, 'x'):g}" for name in measured.subjects]

    return Rung("counting", "Counting", subjects, section)


@pytest.fixture
def climb(tmp_path, monkeypatch):
    """Climb a ladder of one rung."""

    def run(rung: Rung, repeats: int = 3, **more: object) -> str:
        monkeypatch.setattr(ladder, "find_rungs", lambda names: [rung])
        options = Options(Peers(), scratch=tmp_path / "runs")
        files = ladder.climb(repeats=repeats, options=options, out=tmp_path, **more)
        return files[0].read_text()

    return run


def test_subjects_take_turns_and_the_page_has_medians(climb):
    calls: list[tuple[str, int]] = []
    page = climb(counting(calls))
    assert calls == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]
    assert "a: 2\nb: 2\nc: 1\n" in page


def test_what_is_measured_is_not_measured_again_unless_asked_for(climb):
    calls: list[tuple[str, int]] = []
    climb(counting(calls), repeats=1)
    calls.clear()
    climb(counting(calls), repeats=2)
    assert calls == [("a", 2), ("b", 2)]
    climb(counting(calls), repeats=2)
    assert len(calls) == 2
    climb(counting(calls), repeats=1, again=True)
    assert calls[2:] == [("a", 1), ("b", 1), ("c", 1)]


def test_an_interrupted_ladder_keeps_what_it_has(climb, tmp_path):
    calls: list[tuple[str, int]] = []
    broken = counting(calls, fails="a")
    with pytest.raises(SimulationError, match="no compiler"):
        climb(broken)
    assert calls == []
    climb(counting(calls), repeats=1)
    with pytest.raises(SimulationError, match="no compiler"):
        climb(counting(calls, fails="a"), repeats=2)
    kept = json.loads((tmp_path / "runs" / "measurements.json").read_text())["rungs"]["counting"]
    assert [len(records) for records in kept.values()] == [1, 1, 1]


def test_the_page_keeps_what_was_measured_elsewhere_and_says_so(climb, tmp_path, monkeypatch):
    calls: list[tuple[str, int]] = []
    climb(counting(calls), repeats=1)
    (tmp_path / "runs" / "measurements.json").unlink()
    other = replace(counting(calls), name="other", title="Something else")
    rungs = {"counting": counting(calls), "other": other}
    options = Options(Peers(), scratch=tmp_path / "runs")

    def measure(name: str) -> str:
        monkeypatch.setattr(
            ladder, "find_rungs", lambda names: [rungs[n] for n in names or ("counting", "other")]
        )
        files = ladder.climb(names=[name], repeats=1, options=options, out=tmp_path)
        return files[0].read_text()

    first = measure("other")
    kept = first[first.index("## Counting") : first.index("## Something else")]
    assert "a: 1\nb: 1\nc: 1\n" in kept
    assert kept.count("*Not measured again since. Measured from ") == 1
    assert measure("other").count("Not measured again since") == 1
    assert "Not measured again since" not in measure("counting")


def test_a_peer_that_fails_is_reported_and_the_ladder_goes_on(climb):
    calls: list[tuple[str, int]] = []
    page = climb(counting(calls, fails="b"))
    assert ("a", 3) in calls
    assert "- b: failed: b has no compiler" in page


def test_refusals(tmp_path):
    options = Options(Peers(), scratch=tmp_path)
    with pytest.raises(DataError, match="no rung 'speed'; there is cuba, brunel"):
        ladder.climb(names=["speed"], options=options, out=tmp_path)
    with pytest.raises(DataError, match="repeats = 0"):
        ladder.climb(repeats=0, options=options, out=tmp_path)
    (tmp_path / "measurements.json").write_text('{"schema": 99}')
    with pytest.raises(DataError, match="no measurements of this version"):
        ladder.climb(options=options, out=tmp_path)
    with pytest.raises(DataError, match="there is no interpreter"):
        find_peers(nest_python="/no/such/python")


def test_a_named_interpreter_without_the_peer_is_refused():
    if importlib.util.find_spec("brian2") is not None:
        pytest.skip("it is installed here")
    with pytest.raises(DataError, match="Brian2 is not installed for"):
        find_peers(brian2_python=sys.executable)
    assert find_peers().brian2.missing is not None


def test_a_job_has_its_time_and_memory_in_its_record():
    tiny = cuba_rung.TINY._asdict()
    record = process.run_function(
        "benchmarks.networks.run:simulate_readable",
        {"network": "cuba", "p": tiny, "duration": 5.0, "seed": 1},
        {"NUMBA_DISABLE_JIT": "1"},
    )
    assert record["process_cpu_s"] > record["simulate_cpu_s"] > 0.0
    assert 10.0 < record["peak_mb"] < 10_000.0


def test_a_job_that_fails_says_why():
    with pytest.raises(SimulationError, match="takes no keyword arguments"):
        process.run_function("operator:truediv", {"a": 1})
    with pytest.raises(SimulationError, match=r"(?s)exit code 1.*No module named 'no_such'"):
        process.run_function("no_such:thing", {})


def test_the_command_refuses_an_unknown_rung(tmp_path):
    result = CliRunner().invoke(app, ["bench", "--rung", "speed", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "there is no rung 'speed'" in result.stderr


def test_aims_are_compared_with_what_was_measured():
    def cuba(seconds: float) -> dict[str, Measured]:
        record = {"deliveries": 30e6, "simulate_cpu_s": seconds}
        return {"cuba": Measured({SPIKEMESH: [record]}, {})}

    assert "million deliveries per CPU second | 30 | ≥ 15 | yes |" in "\n".join(aims(cuba(1.0)))
    assert "million deliveries per CPU second | 10 | ≥ 15 | no |" in "\n".join(aims(cuba(3.0)))
    assert aims({}) == []


# -- the networks ---------------------------------------------------------------------------------


def test_the_networks_have_the_published_numbers():
    assert CUBA.fan_out() == 80.0
    assert BRUNEL.external_hz() == pytest.approx(20_000.0)
    net = brunel(BRUNEL._replace(n_exc=40, n_inh=10, c_exc=4, c_inh=2))
    arrays = compile_network(net).arrays
    recurrent = [p for p in net.projections.values() if not p.pre.is_source]
    assert sum(p.weight for p in recurrent) == pytest.approx(2 * (0.1 - 0.5))
    assert arrays.syn_post.size == 50 * (4 + 2) + 50


def test_peers_get_the_connections_and_potentials_of_our_network(tmp_path):
    net = cuba(cuba_rung.TINY, seed=3)
    write_drawn(net, tmp_path / "drawn.npz")
    compiled = compile_network(net)
    with np.load(tmp_path / "drawn.npz") as drawn:
        posts = [drawn[f"{name}/post"] for name in net.projections]
        assert np.concatenate(posts).tolist() == compiled.arrays.syn_post.tolist()
        potentials = np.concatenate([drawn["exc/v"], drawn["inh/v"]])
        assert potentials.tolist() == compiled.groups.states[0][0].tolist()
        for name in net.projections:
            pre, post = drawn[f"{name}/pre"], drawn[f"{name}/post"]
            assert np.all(np.diff(pre) >= 0)
            if name in ("exc->exc", "inh->inh"):
                assert not np.any(pre == post)


# -- the statistics -------------------------------------------------------------------------------


def test_rates_and_cvs_of_trains_made_by_hand():
    times = np.concatenate([np.arange(10.0), [0.0, 1.0, 3.0, 4.0, 6.0, 7.0], [5.0]])
    neurons = np.repeat([0, 1, 2], [10, 6, 1])
    assert rates(neurons, 4, 10.0).tolist() == [1000.0, 600.0, 100.0, 0.0]
    cv = interval_cvs(times[::-1], neurons[::-1])
    intervals = np.array([1.0, 2.0, 1.0, 2.0, 1.0])
    assert cv == pytest.approx([0.0, intervals.std() / intervals.mean()])


def test_the_cv_of_a_poisson_train_is_one_and_pairs_are_uncorrelated():
    rng = np.random.default_rng(1)
    n, duration = 200, 20_000.0
    count = rng.poisson(0.02 * duration, n)
    neurons = np.repeat(np.arange(n), count)
    times = rng.uniform(0.0, duration, count.sum())
    spikes = {"exc": (times, neurons)}
    found = statistics_of(spikes, {"exc": n}, 0.0, duration, seed=1)
    assert found["rate"].mean() == pytest.approx(20.0, rel=0.02)
    assert found["cv"].mean() == pytest.approx(1.0, abs=0.01)
    # 100 pairs over 2,000 bins: the mean has a deviation of 0.002.
    assert abs(found["correlation"].mean()) < 0.01
    twins = np.concatenate([times, times]), np.concatenate([neurons, neurons + n])
    same = pair_correlations(*twins, 2 * n, 0.0, duration, seed=1)
    assert same.size == n
    assert same.max() == pytest.approx(1.0) or same.max() < 0.2


def test_the_median_of_an_even_number_lies_between():
    assert median([3.0, 1.0, 2.0, 10.0]) == 2.5


@pytest.mark.slow
@pytest.mark.parametrize("network", ["CUBA", "Brunel"])
def test_statistics_agree_with_nest(network, tmp_path):
    """Distributions of rate, CV and correlation at five seeds; needs NEST and a quarter of an hour
    for Brunel's network."""
    pytest.importorskip("scipy")
    peers = find_peers()
    if peers.nest.missing:
        pytest.skip(f"NEST is {peers.nest.missing}")
    options = Options(peers, scratch=tmp_path)
    rung = discover()["statistics"]
    subject = next(s for s in rung.subjects(options) if s.name.startswith(network))
    assert subject.measure is not None
    assert rung.seeds is not None
    for seed in range(1, rung.seeds + 1):
        record = subject.measure(seed)
        for measure in ("rate", "cv", "correlation"):
            # Fifteen tests a network at a level of 1 % together.
            assert record[measure]["p"] > 0.01 / 15, (seed, measure, record[measure])
