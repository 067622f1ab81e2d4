"""Small runs of `spikemesh verify` with the compiler off; prints every case as a line of JSON.

Run by test_verify.py in one process of its own: with the compiler on, each model and network below
would be compiled anew.
"""

from __future__ import annotations

import json
from math import inf
from typing import Any

import numpy as np

import experiments.verify.invariances as invariances
import experiments.verify.peer as peer
import experiments.verify.plasticity_sums as plasticity_sums
from experiments.reporting import QuietReporter
from experiments.verify import verify
from experiments.verify.arithmetic import Digits
from experiments.verify.brute_force import graze_rows, random_rows
from experiments.verify.closed_forms import exact_rows, integrated_rows, psp_rows
from experiments.verify.sizes import Sizes
from neurons import AdEx, LIFAlpha, LIFCond, LIFDelta, LIFExp
from plasticity import WTCRL
from simulator import Simulation

QUIET = QuietReporter()
SMALL = Sizes(intervals=300, integrated=20, grazes=60, by_digits=8, trains=20, cuts=1, duration=8.0)


class SkipsGrazes(LIFExp):
    """Looks for a crossing only where V rises steadily: tops that stay in reach are passed over."""

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        t = LIFExp.crossing(n, j, p)
        if 0.0 < t < inf:
            h = 1e-3 * p.tau_m
            before, after = (_excess(n, j, p, t + x) for x in (0.0, h))
            if after < before + 1e-4:
                return inf
        return t


class FiresAtNearMisses(LIFAlpha):
    """A threshold that is a millionth too low."""

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        lower = p._replace(v_th=p.v_th - 1e-6 * (1.0 + abs(p.v_th)))
        return float(LIFAlpha.crossing(n, j, lower))


class TooTightBound(LIFDelta):
    """A bound that forgets the bias lets neurons pass that do fire."""

    @staticmethod
    def may_cross(n: Any, j: int, p: Any, dt: float) -> bool:
        return bool(n.v[j] >= p.v_th)


class WrongDecay(LIFExp):
    """The synaptic current decays a millionth too slowly."""

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return LIFExp.factors(p._replace(tau_exc=p.tau_exc * (1.0 + 1e-6)), dt)


class LateSpikes(LIFDelta):
    """Spikes come a nanosecond of simulated time, 1e-9 ms, late."""

    @staticmethod
    def crossing(n: Any, j: int, p: Any) -> float:
        return float(LIFDelta.crossing(n, j, p) + 1e-9)


class LooseIntegration(AdEx):
    """Ignores the tolerance that it is given."""

    @staticmethod
    def advance(n: Any, j: int, p: Any, f: tuple[float, ...]) -> None:
        AdEx.advance(n, j, p._replace(tolerance=1e-2), f)


class WrongGamma(LIFCond):
    """Conductances act with a time constant that is off by 1e-9."""

    @staticmethod
    def factors(p: Any, dt: float) -> tuple[float, ...]:
        return LIFCond.factors(p, dt * (1.0 + 1e-9))


class TracesForget(WTCRL):
    """Depression by a hair more than the rule says."""

    @staticmethod
    def on_pre(w: float, x: tuple[float, ...], y: tuple[float, ...], p: Any) -> float:
        return WTCRL.on_pre(w, x, y, p) - (1e-9 if y[0] > 0.0 else 0.0)


class ForgetsAtStops(Simulation):
    """Every stop of a run costs the neurons a bit of potential."""

    def run(self, until: float) -> None:
        super().run(until)
        for block in self.compiled.groups.states:
            block *= 1.0 - 1e-9


class StopsHalfway(ForgetsAtStops):
    """Loses something in the middle of a run."""

    def run(self, until: float) -> None:
        super().run(0.5 * until)
        super().run(until)


def _excess(n: Any, j: int, p: Any, t: float) -> float:
    state = LIFExp.State(*([x[j]] for x in n))
    LIFExp.advance(state, 0, p, LIFExp.factors(p, t))
    return float(state.v[0] - p.v_th)


def show(case: str, rows: Any) -> None:
    found = [
        {"group": r.group, "check": r.check, "compared": r.compared, "largest": r.largest,
         "allowed": r.allowed, "verdict": r.verdict}
        for r in rows
    ]  # fmt: skip
    print(json.dumps({"case": case, "rows": found}).replace("Infinity", "1e999"), flush=True)


def main() -> None:
    digits = Digits()
    show("sound", verify(sizes=SMALL).rows)
    show("skips grazes", graze_rows(SkipsGrazes, 60, QUIET, digits))
    show("fires at near misses", graze_rows(FiresAtNearMisses, 60, QUIET, digits))
    show("too tight a bound", random_rows(TooTightBound, 300, QUIET, digits))
    show("wrong decay", exact_rows(WrongDecay, 8, QUIET, digits))
    show("wrong decay, one potential", psp_rows([WrongDecay], digits))
    show("late spikes", random_rows(LateSpikes, 300, QUIET, digits))
    show("loose integration", integrated_rows(LooseIntegration, 20, QUIET, ""))
    show("wrong gamma", exact_rows(WrongGamma, 8, QUIET, digits))
    show("wrong rule", plasticity_sums.rule_rows([TracesForget], 20, QUIET))
    invariances.Simulation = ForgetsAtStops  # type: ignore[attr-defined]
    show("stops", invariances.invariance_rows(8.0, 1, QUIET))
    invariances.Simulation = StopsHalfway  # type: ignore[attr-defined]
    show("engines", invariances.engine_rows(8.0, QUIET))
    t = np.array([1.0, 2.0, 3.0])
    i = np.array([0, 1, 0])
    show("apart", [])
    for a, b in (
        ((t, i), (t[::-1], i[::-1])), ((t, i), (t + 1e-6, i)), ((t, i), (t[:2], i[:2])),
        ((t, i), (t, i[::-1] + 1)),
    ):  # fmt: skip
        print(json.dumps({"apart": peer.spikes_apart(a, b)}).replace("Infinity", "1e999"))


if __name__ == "__main__":
    main()
