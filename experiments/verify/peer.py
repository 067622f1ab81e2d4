"""The same networks in NEST's precise neurons, spike by spike."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from experiments.reporting import Reporter
from experiments.verify import nest_side
from experiments.verify.peer_networks import (
    CASES,
    conductance_neurons,
    recurrent_network,
    run_here,
)
from experiments.verify.rows import Row, judged, not_run
from simulator.errors import DataError

__all__ = ["PEERS", "nest_rows", "nest_version"]

GROUP = "NEST"
PEERS = ("nest",)
TIME_MS = 1e-9
_STEPS = (0.01, 0.003, 0.001)  # ms
_GET_IT = "NEST is not installed: pip install 'spikemesh[verify]' (nest-simulator)"


def nest_version(python: str | None = None) -> str | None:
    """The version of NEST in this interpreter or in another one, None if it is not there.

    Raises
    ------
    DataError
        When the other interpreter cannot be run.
    """
    code = "import importlib.metadata as m; print(m.version('nest-simulator'))"
    try:
        done = subprocess.run(
            [python or sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise DataError(
            f"cannot run '{python}': {error.strerror or error}; name the interpreter that has NEST"
        ) from error
    return done.stdout.strip() or None


def nest_rows(
    reporter: Reporter, python: str | None = None, n: int = 400, duration: float = 300.0
) -> Iterator[Row]:
    """Recurrent networks in the precise neurons, and ``LIFCond`` against a shrinking step.

    ``python`` is the interpreter that has NEST; default: this one.
    """
    names = [*CASES, "iaf_cond_exp"]
    if nest_version(python) is None:
        for name in names:
            yield not_run(GROUP, name, _GET_IT)
        return
    with reporter.progress("NEST", len(CASES) + len(_STEPS)) as bar:
        for name in CASES:
            yield _precise_row(name, recurrent_network(name, n, duration), python)
            bar.advance()
        d = conductance_neurons(max(1, n // 10), duration)
        here = run_here(d, tolerance=1e-12)
        means = []
        for step in _STEPS:
            there = _in_nest(d | {"resolution": step}, python)
            yield _grid_row(step, there, here)
            means.append(spikes_apart(there, here, np.mean))
            bar.advance()
        yield judged(
            GROUP,
            "iaf_cond_exp, convergence",
            f"all {here[0].size:,} spikes: mean difference at {_STEPS[-1]} ms over that at "
            f"{_STEPS[0]} ms, {means[-1]:.1e} over {means[0]:.1e} ms; in step with the grid: 0.1",
            means[-1] / means[0],
            0.15,
        )


def _grid_row(step: float, there: tuple[Any, Any], here: tuple[Any, Any]) -> Row:
    """A grid neuron fires at the end of the step in which it crosses, late by up to a step.  Later
    spikes inherit the lateness of its resets, and a slow rise makes more of it."""
    (t, i), (u, j) = _first_spikes(*there), _first_spikes(*here)
    late = float(np.abs(t - u).max()) if np.array_equal(i, j) and t.size else np.inf
    compared = f"LIFCond, first spikes of {u.size} driven neurons, late by a part of a step"
    return judged(GROUP, f"iaf_cond_exp, step {step} ms", compared, late, 1.01 * step, "ms")


def _first_spikes(times: Any, neurons: Any) -> tuple[Any, Any]:
    order = np.lexsort((times, neurons))
    found, first = np.unique(neurons[order], return_index=True)
    return times[order][first], found


def _precise_row(name: str, d: dict[str, Any], python: str | None) -> Row:
    theirs, ours = _in_nest(d, python), run_here(d)
    compared = (
        f"recurrent, {len(d['v0'])} neurons, {d['pre'].size:,} fractional delays, "
        f"{d['duration']:g} ms, {ours[0].size:,} spikes"
    )
    return judged(GROUP, name, compared, spikes_apart(theirs, ours), TIME_MS, "ms")


def spikes_apart(
    a: tuple[Any, Any], b: tuple[Any, Any], measure: Callable[[Any], Any] = np.max
) -> float:
    """Largest difference of times (ms) of spike k of every neuron, or another ``measure`` of all
    differences; infinity if they are not the same spikes."""
    (s, i), (t, j) = a, b
    if s.size != t.size or s.size == 0:
        return float(np.inf)
    s_order, t_order = np.lexsort((s, i)), np.lexsort((t, j))
    if not np.array_equal(i[s_order], j[t_order]):
        return float(np.inf)
    return float(measure(np.abs(s[s_order] - t[t_order])))


def _in_nest(d: dict[str, Any], python: str | None) -> tuple[Any, Any]:
    with TemporaryDirectory() as folder:
        source, result = Path(folder) / "in.npz", Path(folder) / "out.npz"
        nest_side.save(source, d)
        command = [python or sys.executable, nest_side.__file__, str(source), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not result.exists():
            last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise DataError(f"NEST failed on a network of {d['model']} neurons: {last[0]}")
        with np.load(result) as found:
            return found["times"], found["neurons"]
