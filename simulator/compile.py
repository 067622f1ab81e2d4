"""From a description to flat arrays: connectors drawn, values checked, rows sorted by delay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import POP, PROJ, SPARSE, Groups, NetworkArrays, records
from simulator.errors import NetworkError
from simulator.frames import FRAME
from simulator.incoming import incoming_codes
from simulator.lazy_kernels import HORIZONS
from simulator.model import NeuronModel, PlasticityRule
from simulator.network import Network, Population, Projection
from simulator.private_input import private_inputs
from simulator.ragged import row_starts
from simulator.seeds import generator, neuron_keys
from simulator.synapses import (
    Orders,
    Pieces,
    Synapses,
    checked_values,
    draw_projection,
    in_rows,
)
from simulator.traces import frame_length
from simulator.trial_rule import TrialRule
from simulator.waiting import room_of_a_list

__all__ = ["CompiledNetwork", "compile_network"]

_BUCKET = 0.1  # of deadlines: its length in units of a population's shortest time constant

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CompiledNetwork:
    """A network as arrays, with the models and rules its kernels are specialised to."""

    network: Network
    arrays: NetworkArrays
    groups: Groups
    models: tuple[type[NeuronModel], ...]
    rules: tuple[type[PlasticityRule], ...]
    orders: Orders  # projection -> described synapse of the k-th stored one, None if they agree
    bounds: Mapping[str, Ints]  # population cut into pieces -> first neuron of each, and the end
    private: tuple[int, ...]  # projections whose spikes the targets draw for themselves
    drawn_alone: frozenset[str]  # sources whose spikes are drawn by their targets and nobody else


# The pools of synapses, and of incoming synapses of learning projections.
_POOLS: dict[str, Any] = {
    "weight": np.float64,
    "synaptic": np.float64,
    "row_ptr": np.int64,
    "syn_post": np.int32,
    "syn_delay": np.float64,
    "short_delay": np.float32,
    "in_ptr": np.int64,
    "in_short": np.uint32,
    "in_long": np.int64,
}


def compile_network(
    net: Network,
    bounds: Mapping[str, Ints] | None = None,
    homes: Mapping[str, Ints] | None = None,
) -> CompiledNetwork:
    """Draw, check and lay out a network.

    ``bounds`` cuts populations into pieces (:mod:`simulator.workers`): first neuron of each piece,
    and one past the last.  ``homes`` spreads populations over the cores of a machine: the core of
    each neuron; spikes of such a population reach other cores only when somebody sends them there
    (:mod:`simulator.spread`).

    Raises
    ------
    NetworkError
        For an empty network, and for values that are not finite, of the wrong number, or delays
        below zero: the message names the projection or population and the first bad index.
    """
    if not net.populations:
        raise NetworkError("the network has no populations; add one with Network.population()")
    bounds = {} if bounds is None else bounds
    homes = {} if homes is None else homes
    pieces = _pieces(bounds, homes)
    pops = list(net.populations.values())
    projs = list(net.projections.values())
    index = {p.name: k for k, p in enumerate(pops)}
    n_pop, n_proj = len(pops), len(projs)
    ends = np.cumsum([p.size for p in pops]).astype(np.int64)
    lows = np.concatenate([[0], ends[:-1]]).astype(np.int64)

    models: list[type[NeuronModel]] = []
    rows: list[list[tuple[float, ...]]] = []
    sizes: list[int] = []
    table = records(n_pop, POP)
    table.lo, table.hi, table.group = lows, ends, -1
    table.recorded = [p.name in net.recorders.spikes for p in pops]
    for k, pop in enumerate(pops):
        if not isinstance(pop.model, NeuronModel):
            continue
        g = _number(type(pop.model), models, rows)
        if g == len(sizes):
            sizes.append(0)
        table.group[k], table.at[k], table.row[k] = g, sizes[g], len(rows[g])
        rows[g].append(tuple(pop.model.parameters))
        sizes[g] += pop.size
    states = tuple(np.zeros((len(m.state), n)) for m, n in zip(models, sizes, strict=True))
    for k, pop in enumerate(pops):
        if isinstance(pop.model, NeuronModel):
            block = states[table.group[k]][:, table.at[k] : table.at[k] + pop.size]
            for v, (variable, default) in enumerate(type(pop.model).state.items()):
                where = f"population {pop.name!r}: initial {variable}"
                rng = generator(net.seed, "population", pop.name, variable)
                block[v] = checked_values(pop.initial.get(variable, default), pop.size, where, rng)
            _start(pop.model, block, neuron_keys(net.seed, pop.name, pop.size))

    rules: list[type[PlasticityRule]] = []
    rule_rows: list[list[tuple[float, ...]]] = []
    projections = records(n_proj, PROJ)
    projections.rule = projections.modulator = -1
    projections.frame = projections.level_tau = math.inf
    pools: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _POOLS}
    orders: dict[str, Ints] = {}
    used = dict.fromkeys([*pools, "x_value", "y_value", "list", "past", "spiked", "waiting"], 0)

    def put(pool: str, values: npt.NDArray[Any]) -> None:
        pools[pool].append(values)
        used[pool] += values.size

    for q, proj in enumerate(projs):
        spread = proj.pre.name in homes
        cut = pieces.get(proj.post.name) if spread or not homes else None
        drawn = draw_projection(net, proj, cut, spread)
        _check_weights(proj, drawn)
        row = projections[q]
        if drawn.order is not None:
            orders[proj.name] = drawn.order
        row.pre, row.post = index[proj.pre.name], index[proj.post.name]
        row.kind, row.port, row.delay = drawn.kind, proj.port, drawn.delay
        row.same, row.short = drawn.same, drawn.delays.dtype == np.float32
        row.no_self = (
            drawn.kind != SPARSE and proj.pre is proj.post and not proj.connector.self_connections
        )
        row.stride, row.spread = 1 if cut is None else cut.n, spread
        row.w_at, row.row_at = used["weight"], used["row_ptr"]
        delays = "short_delay" if row.short else "syn_delay"
        row.post_at, row.delay_at = used["syn_post"], used[delays]
        put("weight", drawn.weight)
        put("row_ptr", drawn.row_ptr)
        put("syn_post", drawn.post)
        put(delays, drawn.delays)
        if proj.rule is None or isinstance(proj.rule, TrialRule):
            continue
        rule = type(proj.rule)
        row.rule = _number(rule, rules, rule_rows)
        row.rule_row = len(rule_rows[row.rule])
        rule_rows[row.rule].append(tuple(proj.rule.parameters))
        row.transmits = rule.transmit is not PlasticityRule.transmit
        row.plastic = row.learns = rule.learns()
        if not row.plastic:
            continue
        row.n_synapses, row.waits = drawn.weight.size, np.isnan(drawn.delay)
        row.n_slots = proj.pre.size * (row.stride if spread else 1)
        row.frame = frame_length(rule, proj.rule.parameters)
        row.trace_x_at, row.trace_y_at = used["x_value"], used["y_value"]
        row.list_at, row.var_at = used["list"], used["synaptic"]
        if row.waits:
            row.longest = drawn.delays.max(initial=0.0)
            row.steady = np.all(drawn.delays == row.longest)
            row.room = room_of_a_list(drawn.weight.size, proj.post.size)
            row.past_at, row.waiting_at = used["past"], used["waiting"]
            row.spiked_at = used["spiked"]
            used["past"] += int(row.n_slots)
            used["waiting"] += proj.post.size
            used["spiked"] += proj.post.size * int(row.room)
        else:
            used["x_value"] += int(row.n_slots) * len(rule.pre_traces)
        used["y_value"] += proj.post.size * len(rule.post_traces)
        used["list"] += proj.post.size
        initial = np.array(list(rule.variables.values()), np.float64)
        put("synaptic", np.repeat(initial, drawn.weight.size))
        row.drifts = rule.drifts()
        if proj.modulator is not None:
            assert isinstance(proj.modulator.model, NeuronModel)
            row.modulator = index[proj.modulator.name]
            row.level_tau = proj.modulator.model.parameters.tau
        row.in_at = used["in_ptr"]
        # Where synapses wait, a spike does not look for them, unless each change is recorded.
        if drawn.kind == SPARSE and (not row.waits or proj.name in net.recorders.changes):
            counts = np.bincount(drawn.post, minlength=proj.post.size)
            in_ptr, first = row_starts(counts), drawn.row_ptr[:: row.stride].copy()
            codes, row.place_bits = incoming_codes(first, drawn.post, in_ptr)
            row.in_short = codes.dtype == np.uint32
            pool = "in_short" if row.in_short else "in_long"
            row.in_syn_at, row.in_rows_at = used[pool], row.row_at
            put("in_ptr", in_ptr)
            put(pool, codes)

    projections.logged = [p.name in net.recorders.changes for p in projs]
    probed = [plan.population for plan in net.recorders.events if plan.neurons]
    projections.probed = [p.post.name in probed for p in projs]
    table.together = [_may_share_a_clock(pop.model) for pop in pops]
    # Spreading a network does not change which neurons are left alone, and so no bit.
    alone = [index[proj.post.name] for proj in projs if in_rows(proj)]
    together = table.together.copy()
    together[alone] = 0
    table.together[projections.post[projections.kind == SPARSE]] = 0
    for k, pop in enumerate(pops):
        if not isinstance(pop.model, NeuronModel) or not pop.model.linear:
            continue
        p = pop.model.parameters
        shortest = min(pop.model.time_constants(p))
        table[k].granted = table[k].together
        if not together[k] and net.left_alone and pop.model.has_modes(p):
            table[k].lazy, table[k].frame_length = 1, FRAME * shortest
        if table[k].granted or table[k].lazy:
            table[k].bucket = _BUCKET * shortest
    private = private_inputs(net, table, projections, pools["weight"])
    sent = np.ones(n_proj, np.bool_)
    sent[private.projections] = False
    out_proj, table.out_lo, table.out_hi = _lists(projections.pre, n_pop, sent)
    drawn_alone = frozenset(
        pops[k].name
        for k in set(projections.pre[private.projections].tolist())
        if table.out_lo[k] == table.out_hi[k]
    )
    learning = np.flatnonzero(projections.plastic)
    entering, table.learn_lo, table.learn_hi = _lists(projections.post[learning], n_pop)
    joined = {name: _joined(pools[name], dtype) for name, dtype in _POOLS.items()}
    arrays = NetworkArrays(
        pops=table,
        projs=projections,
        out_proj=out_proj,
        learn_proj=learning[entering],
        home=_homes(pops, homes),
        inputs=private.table,
        input_starts=private.starts,
        input_rates=private.rates,
        **joined,
    )
    horizons = tuple(
        _horizon_table(
            model,
            [
                (pop.model, float(row.bucket))
                for pop, row in zip(pops, table, strict=True)
                if type(pop.model) is model
            ],
        )
        for model in models
    )
    groups = Groups(states, _rows(rows), horizons, _rows(rule_rows))
    return CompiledNetwork(
        net,
        arrays,
        groups,
        tuple(models),
        tuple(rules),
        Orders(net, orders, pieces),
        bounds,
        tuple(private.projections),
        drawn_alone,
    )


def _pieces(bounds: Mapping[str, Ints], homes: Mapping[str, Ints]) -> dict[str, Pieces]:
    """How the rows onto each population are cut."""
    made = {
        name: Pieces(np.repeat(np.arange(cut.size - 1, dtype=np.int32), np.diff(cut)), cut.size - 1)
        for name, cut in bounds.items()
    }
    n_cores = 1 + max((int(cores.max()) for cores in homes.values()), default=-1)
    made.update((name, Pieces(cores.astype(np.int32), n_cores)) for name, cores in homes.items())
    return made


def _homes(pops: list[Population], homes: Mapping[str, Ints]) -> Ints:
    """Core of each neuron, -1 of those outside the machine; empty without a machine."""
    if not homes:
        return np.empty(0, np.int64)
    nowhere = [np.full(pop.size, -1, np.int64) for pop in pops]
    return np.concatenate(
        [homes.get(pop.name, none) for pop, none in zip(pops, nowhere, strict=True)]
    )


def _horizon_table(model: type[NeuronModel], instances: list[tuple[Any, float]]) -> Floats:
    """What the model's ``allowance`` needs, by population, for each deadline and for ever."""
    if not model.linear:
        return np.zeros((len(instances), 1, 1))
    return np.array(
        [
            [
                model.horizon(one.parameters, dt)
                for dt in (*(h * (bucket or _BUCKET) for h in HORIZONS), math.inf)
            ]
            for one, bucket in instances
        ]
    )


def _may_share_a_clock(model: Any) -> bool:
    return isinstance(model, NeuronModel) and model.shares_clock(model.parameters)


def _start(model: NeuronModel, block: Floats, keys: Floats) -> None:
    """Let the neurons of a population start, if their model has something to do then."""
    if type(model).start is not NeuronModel.start:
        n = model.State(*block)
        for j, key in enumerate(keys.tolist()):
            model.start(n, j, model.parameters, key)


def _check_weights(proj: Projection, drawn: Synapses) -> None:
    """Refuse weights that make no sense to the target's model."""
    model = proj.post.model
    assert isinstance(model, NeuronModel)
    lowest = model.lowest_weight(proj.port)
    wrong = np.flatnonzero(drawn.weight < lowest) if lowest > -math.inf else np.empty(0, np.int64)
    if not wrong.size:
        return
    k = int(wrong[0])
    if drawn.same:
        which = "all synapses"
    elif drawn.kind == SPARSE:
        pre = int(np.searchsorted(drawn.row_ptr, k, side="right")) - 1
        which = f"the synapse {pre} -> {drawn.post[k]}"
    else:
        which = f"the synapse {k // proj.post.size} -> {k % proj.post.size}"
    raise NetworkError(
        f"projection {proj.name!r}: weight {drawn.weight[k]} of {which}; weights on the port "
        f"{model.ports[proj.port]!r} of {type(model).__name__} must be >= {lowest:g}"
    )


def _number(cls: Any, known: list[Any], rows: list[list[tuple[float, ...]]]) -> int:
    """The number of a model or rule, a new one if it has not been met."""
    if cls not in known:
        known.append(cls)
        rows.append([])
    return known.index(cls)


def _rows(rows: list[list[tuple[float, ...]]]) -> tuple[Floats, ...]:
    return tuple(np.array(r, np.float64).reshape(len(r), -1) for r in rows)


def _joined(parts: list[npt.NDArray[Any]], dtype: Any) -> npt.NDArray[Any]:
    """The parts in one array; each is let go as soon as it is copied, a single one is kept."""
    parts[:] = [part for part in parts if part.size]
    if len(parts) == 1:
        return np.ascontiguousarray(parts[0], dtype)
    joined = np.empty(sum(part.size for part in parts), dtype)
    end = joined.size
    while parts:
        part = parts.pop()
        joined[end - part.size : end] = part
        end -= part.size
    return joined


def _lists(
    owner: Ints, n: int, kept: npt.NDArray[np.bool_] | None = None
) -> tuple[Ints, Ints, Ints]:
    """Entries by owner, in order: (entries, first of each owner, one past the last)."""
    order = np.argsort(owner, kind="stable").astype(np.int64)
    if kept is not None:
        order = order[kept[order]]
    ends = np.cumsum(np.bincount(owner[order], minlength=n)).astype(np.int64)
    return order, np.concatenate([[0], ends[:-1]]).astype(np.int64), ends
