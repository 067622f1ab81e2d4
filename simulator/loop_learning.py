"""Parts of the event loop in which synapses learn: from a row that arrives, from a spike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from simulator.arrays import DENSE, SPARSE, UNIFORM, NetworkArrays
from simulator.inner import register_jitable
from simulator.model import PlasticityRule
from simulator.rule_kernels import RuleKernels
from simulator.waiting import note_arrival

__all__ = ["Learning", "make_learning"]


class Learning(NamedTuple):
    """The functions made here, each on (net, rule_blocks, st, work, ...)."""

    from_rows: Any
    from_spike: Any
    settle: Any
    release: Any


@register_jitable
def _sent(net: NetworkArrays, q: int, i: int, lo: int, hi: int) -> float:
    """What a row delivers to a population of one neuron."""
    at = net.projs[q].w_at
    if net.projs[q].kind == DENSE:
        return float(net.weight[at + i])
    if net.projs[q].kind == UNIFORM:
        return float(net.weight[at])
    total = 0.0
    for s in range(lo, hi):
        total += net.weight[at + (0 if net.projs[q].same else s)]
    return float(total)


def make_learning(
    rules: Sequence[type[PlasticityRule]],
    kernels: RuleKernels,
    rows: bool = True,
    whole: bool = True,
    waiting: bool = True,
) -> Learning:
    """Specialise to the rules of a network, and to synapses in rows, onto whole populations, or
    that wait."""
    learn_dense, learn_sparse, learn_waiting = kernels[1:4]
    learn_column, settle_row, catch_up_row, _, modulate = kernels[4:]
    modulated = any(rule.modulated for rule in rules)

    @register_jitable(forceinline=True)
    def learn_from_rows(net, rule_blocks, st, work, n_rows, t):
        """Presynaptic side of the rules: weights of the rows that arrive, then their traces."""
        first = 0
        while first < n_rows:
            q, end = work.rows[first].q, first + 1
            while end < n_rows and work.rows[end].q == q:
                end += 1
            if net.projs[q].plastic:
                group, row = net.projs[q].rule, net.projs[q].rule_row
                if waiting and net.projs[q].waits:
                    learn_waiting(rule_blocks, group, row, net, st, work, q, first, end, t)
                elif rows and net.projs[q].kind == SPARSE:
                    learn_sparse(rule_blocks, group, row, net, st, work, q, first, end, t)
                elif whole:
                    learn_dense(rule_blocks, group, row, net, st, work, q, first, end, t)
            first = end

    @register_jitable(forceinline=True)
    def learn_from_spike(net, rule_blocks, st, work, g, t):
        """Postsynaptic side of the rules: the weights into a neuron, then its traces."""
        k = st.neurons[g].pop
        for a in range(net.pops[k].learn_lo, net.pops[k].learn_hi):
            q = net.learn_proj[a]
            learn_column(
                rule_blocks, net.projs[q].rule, net.projs[q].rule_row, net, st, work, q,
                g - net.pops[k].lo, t,
            )  # fmt: skip

    @register_jitable(forceinline=True)
    def settle(net, rule_blocks, st, work, n_rows, t):
        """Bring synapses to t that something arrives at, before they transmit it: modulated ones,
        and those that wait."""
        for r in range(n_rows if modulated or waiting else 0):
            q = work.rows[r].q
            if waiting and net.projs[q].waits:
                note_arrival(net, st, work, q, r, n_rows)
                if net.projs[q].learns:
                    catch_up_row(
                        rule_blocks, net.projs[q].rule, net.projs[q].rule_row, net, st, work, q, r,
                        t,
                    )  # fmt: skip
            elif modulated and net.projs[q].drifts and net.projs[q].learns:
                settle_row(
                    rule_blocks, net.projs[q].rule, net.projs[q].rule_row, net, st, q,
                    work.rows[r].i, work.rows[r].lo, work.rows[r].hi, t,
                )  # fmt: skip

    @register_jitable(forceinline=True)
    def release(net, rule_blocks, st, work, n_rows, t):
        """What arrives at a modulator reaches the synapses that feel it."""
        for q in range(net.projs.size if modulated else 0):
            if net.projs[q].modulator >= 0:
                amount = 0.0
                for r in range(n_rows):
                    by = work.rows[r].q
                    if net.projs[by].post == net.projs[q].modulator:
                        lo, hi = work.rows[r].lo, work.rows[r].hi
                        amount += _sent(net, by, work.rows[r].i, lo, hi)
                if amount != 0.0:
                    modulate(
                        rule_blocks, net.projs[q].rule, net.projs[q].rule_row, net, st, q, amount, t
                    )

    return Learning(learn_from_rows, learn_from_spike, settle, release)
