"""Modulated synapses between two instants: reading them, letting them rest, releases by hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator import drift_kernels, rule_kernels, traces
from simulator.arrays import EngineState, NetworkArrays
from simulator.compile import CompiledNetwork
from simulator.model import PlasticityRule
from simulator.specialise import digest

__all__ = ["modulate", "settled_weights"]


@cache
def _made(rules: Sequence[type[PlasticityRule]]) -> Any:
    """Compiled ``run(net, rule_blocks, st, q, amount, t)`` for the rules of a network."""
    kernel = rule_kernels.rule_kernels(rules).modulate
    source = digest(drift_kernels, rule_kernels, traces, *rules)

    def run(net, rule_blocks, st, q, amount, t):  # type: ignore[no-untyped-def]
        _ = source  # closed over so that an edit of any part compiles anew
        kernel(rule_blocks, net.projs[q].rule, net.projs[q].rule_row, net, st, q, amount, t)

    return njit(cache=True)(run)


def modulate(
    compiled: CompiledNetwork, net: NetworkArrays, st: EngineState, q: int, amount: float, t: float
) -> None:
    """Bring the synapses of projection ``q`` to time ``t`` (ms), then raise the concentration that
    they feel by ``amount``.  Does nothing where none is felt."""
    if net.projs.modulator[q] >= 0:
        _made(compiled.rules)(net, compiled.groups.rules, st, q, amount, t)


def settled_weights(
    compiled: CompiledNetwork, st: EngineState, q: int, t: float
) -> npt.NDArray[np.float64]:
    """All stored weights, those of projection ``q`` as they are at time ``t`` (ms); nothing is
    changed by reading them."""
    net = compiled.arrays
    if not net.projs.drifts[q]:
        return net.weight
    copied = net._replace(weight=net.weight.copy(), synaptic=net.synaptic.copy())
    projs = st.projs.copy()
    modulate(compiled, copied, st._replace(projs=projs), q, 0.0, t)
    weights: npt.NDArray[np.float64] = copied.weight
    return weights
