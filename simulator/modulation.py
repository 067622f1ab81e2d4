"""Synapses between two instants: what they wait for, reading them, letting them rest, releases by
hand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from simulator import (
    drift_kernels,
    flight_queue,
    frames,
    incoming,
    rule_kernels,
    traces,
    waiting,
    waiting_kernels,
)
from simulator.arrays import EngineState, NetworkArrays
from simulator.compile import CompiledNetwork
from simulator.model import PlasticityRule
from simulator.specialise import digest

__all__ = ["catch_up", "modulate", "settled_weights"]


@cache
def _made(rules: Sequence[type[PlasticityRule]], name: str) -> Any:
    """Compiled ``run(net, rule_blocks, st, q, what, t)`` for the rules of a network: the kernel
    ``modulate``, by an amount, or ``catch_up_all``, in pieces of rows."""
    kernel = getattr(rule_kernels.rule_kernels(rules), name)
    source = digest(
        drift_kernels, flight_queue, frames, incoming, rule_kernels, traces, waiting,
        waiting_kernels, *rules,
    )  # fmt: skip

    def run(net, rule_blocks, st, q, what, t):  # type: ignore[no-untyped-def]
        _ = source  # closed over so that an edit of any part compiles anew
        kernel(rule_blocks, net.projs[q].rule, net.projs[q].rule_row, net, st, q, what, t)

    return njit(cache=True)(run)


def catch_up(compiled: CompiledNetwork, st: EngineState, q: int, t: float) -> None:
    """Have the synapses of projection ``q`` learn what they wait for at time ``t`` (ms); no later
    bit depends on it."""
    net = compiled.arrays
    row = net.projs[q]
    n_post = int(net.pops.hi[row.post] - net.pops.lo[row.post])
    if row.waits and np.any(st.waiting[row.waiting_at : row.waiting_at + n_post]):
        pieces = 1 if row.spread else int(row.stride)
        _made(compiled.rules, "catch_up_all")(net, compiled.groups.rules, st, q, pieces, t)


def modulate(
    compiled: CompiledNetwork, net: NetworkArrays, st: EngineState, q: int, amount: float, t: float
) -> None:
    """Bring the synapses of projection ``q`` to time ``t`` (ms), then raise the concentration that
    they feel by ``amount``."""
    catch_up(compiled, st, q, t)
    if net.projs.modulator[q] >= 0:
        _made(compiled.rules, "modulate")(net, compiled.groups.rules, st, q, amount, t)


def settled_weights(
    compiled: CompiledNetwork, st: EngineState, q: int, t: float
) -> npt.NDArray[np.float64]:
    """All stored weights, those of projection ``q`` as they are at time ``t`` (ms); no later bit is
    changed by reading them."""
    catch_up(compiled, st, q, t)
    net = compiled.arrays
    if not net.projs.drifts[q]:
        return net.weight
    copied = net._replace(weight=net.weight.copy(), synaptic=net.synaptic.copy())
    modulate(compiled, copied, st._replace(projs=st.projs.copy()), q, 0.0, t)
    weights: npt.NDArray[np.float64] = copied.weight
    return weights
