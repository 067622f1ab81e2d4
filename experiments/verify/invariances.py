"""What must not change a result, to the last bit; and the two engines against each other."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from experiments.reporting import Reporter
from experiments.verify.brute_force import seed_of
from experiments.verify.engine_network import COMPARED, busy_network
from experiments.verify.rows import Row, judged, not_run
from simulator import Network, Simulation
from simulator.reference import Reference

__all__ = ["engine_rows", "invariance_rows"]

GROUP = "invariances"
ENGINES_MS, ENGINES_WEIGHT = 1e-10, 1e-12
_SEED = 11

Array = npt.NDArray[Any]
Make = Callable[..., Any]


class Outcome(NamedTuple):
    """Everything that a run leaves: spikes by population, weights by projection."""

    spikes: dict[str, tuple[Array, Array]]
    weights: dict[str, Array]


def outcome(engine: Any) -> Outcome:
    """Spikes ordered by neuron, then time: at one instant populations come in their order."""
    spikes = {}
    for name in sorted(engine.network.recorders.spikes):
        times, neurons = engine.spikes(name)
        order = np.lexsort((times, neurons))
        spikes[name] = (times[order], neurons[order])
    known = [name for name in COMPARED if name in engine.network.projections]
    return Outcome(spikes, {name: np.sort(engine.weights(name).ravel()) for name in known})


def differing(a: Outcome, b: Outcome) -> int:
    """How many numbers differ in any bit."""
    count = 0
    for name, (times, neurons) in a.spikes.items():
        pairs = ((times, b.spikes[name][0]), (neurons, b.spikes[name][1]))
        count += max(_differing(x, y) for x, y in pairs)
    return count + sum(_differing(w, b.weights[name]) for name, w in a.weights.items())


def _differing(x: Array, y: Array) -> int:
    if x.size != y.size:
        return max(x.size, y.size)
    return int((x.view(np.int64) != y.view(np.int64)).sum())


def finished(net: Network, duration: float, **options: Any) -> Simulation:
    simulation = Simulation(net, **options)
    simulation.run(duration)
    return simulation


def invariance_rows(duration: float, cuts: int, reporter: Reporter) -> Iterator[Row]:
    """A network of about a hundred neurons, run in ``cuts`` random ways of each kind."""
    rng = np.random.default_rng(seed_of("invariances"))
    checks: list[tuple[str, str, Make | None]] = [
        ("in pieces", "run(b) with run at random times before it", _in_pieces),
        ("recorders", "no recorder but spikes with states, weights and reading", _watched),
        ("population order", "the populations described the other way round", _reordered),
        ("save and restore", "a fresh simulation restored from a file at a random time", _restored),
        (
            "workers",
            "as many workers as pay with 1, 2 or 3",
            _with_workers if _has_workers() else None,
        ),
    ]
    with reporter.progress("invariances", 1 + cuts * len(checks)) as bar:
        plain = outcome(finished(busy_network(_SEED), duration))
        bar.advance()
        numbers = sum(times.size for times, _ in plain.spikes.values())
        numbers += sum(w.size for w in plain.weights.values())
        for name, compared, run in checks:
            if run is None:
                yield not_run(GROUP, name, "the engine has one worker")
                continue
            worst = 0
            for _ in range(cuts):
                worst = max(worst, differing(plain, outcome(run(duration, rng))))
                bar.advance()
            what = f"{compared}, {cuts} times; spike times and weights bit by bit, {numbers:,}"
            yield judged(GROUP, name, what, worst, 0, "numbers")


def _has_workers() -> bool:
    return "workers" in inspect.signature(Simulation).parameters


def _in_pieces(duration: float, rng: np.random.Generator) -> Simulation:
    simulation = Simulation(busy_network(_SEED))
    for stop in np.sort(rng.uniform(0.0, duration, 20)):
        simulation.run(float(stop))
    simulation.run(duration)
    return simulation


def _watched(duration: float, rng: np.random.Generator) -> Simulation:
    net = busy_network(_SEED)
    for name in ("alone", "each", "together"):
        net.record_state(name, ["v", "i_exc"], np.sort(rng.uniform(0.0, duration, 30)))
    net.record_weights("in->each", np.sort(rng.uniform(0.0, duration, 10)))
    simulation = Simulation(net)
    for stop in np.sort(rng.uniform(0.0, duration, 5)):
        simulation.run(float(stop))
        simulation.state("alone", "v")
        simulation.weights("in->alone")
        simulation.save()
    simulation.run(duration)
    return simulation


def _reordered(duration: float, rng: np.random.Generator) -> Simulation:
    return finished(busy_network(_SEED, order=-1), duration)


def _restored(duration: float, rng: np.random.Generator) -> Any:
    """The spikes before the restored time come from the run that was saved."""
    first = finished(busy_network(_SEED), float(rng.uniform(0.0, duration)))
    file = io.BytesIO()
    np.savez(file, **first.save())  # type: ignore[arg-type]
    file.seek(0)
    second = Simulation(busy_network(_SEED))
    with np.load(file) as saved:
        second.restore({name: saved[name] for name in saved.files})
    second.run(duration)
    return _Continued(first, second)


class _Continued:
    """Two runs read as one."""

    def __init__(self, first: Simulation, second: Simulation) -> None:
        self.network, self._runs, self.weights = second.network, (first, second), second.weights

    def spikes(self, name: str) -> tuple[Array, Array]:
        parts = [run.spikes(name) for run in self._runs]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _with_workers(duration: float, rng: np.random.Generator) -> Simulation:
    return finished(busy_network(_SEED), duration, workers=int(rng.integers(1, 4)))


def engine_rows(duration: float, reporter: Reporter) -> Iterator[Row]:
    """The readable engine, which is the specification, against the compiled one."""
    with reporter.progress("readable engine", 2) as bar:
        for alone in (False, True):
            reference = Reference(busy_network(_SEED, alone=alone))
            reference.run(duration)
            compiled = outcome(finished(busy_network(_SEED, alone=alone), duration))
            readable = outcome(reference)
            count = sum(times.size for times, _ in readable.spikes.values())
            bar.advance()
            if not alone:
                what = f"compiled engine, neurons advanced one by one or together, {count:,} spikes"
                yield judged(
                    GROUP, "readable engine", what, differing(readable, compiled), 0, "numbers"
                )
                continue
            times, weights = _apart(readable, compiled)
            what = (
                f"compiled engine, with neurons left alone until they might fire, {count:,} spikes"
            )
            yield judged(GROUP, "readable engine: times", what, times, ENGINES_MS, "ms")
            yield judged(GROUP, "readable engine: weights", what, weights, ENGINES_WEIGHT)


def _apart(a: Outcome, b: Outcome) -> tuple[float, float]:
    """Largest difference of times, infinity if the spikes are not the same, and of weights."""
    times = 0.0
    for name, (t, neurons) in a.spikes.items():
        if not np.array_equal(neurons, b.spikes[name][1]):
            return np.inf, np.inf
        times = max(times, float(np.abs(t - b.spikes[name][0]).max(initial=0.0)))
    weights = [np.abs(w - b.weights[name]).max(initial=0.0) for name, w in a.weights.items()]
    return times, float(max(weights))
