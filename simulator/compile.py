"""From a description to flat arrays: connectors drawn, values checked, rows sorted by delay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import (
    DENSE,
    POP,
    PROJ,
    SPARSE,
    UNIFORM,
    Groups,
    NetworkArrays,
    records,
)
from simulator.distributions import Distribution
from simulator.errors import NetworkError
from simulator.lazy_kernels import HORIZONS
from simulator.model import NeuronModel, PlasticityRule
from simulator.network import Network, Projection, Values
from simulator.seeds import generator

__all__ = ["CompiledNetwork", "compile_network"]

# In units of a population's shortest time constant: how long amplitudes are kept in one frame
# (their factors grow by e to this power), and the length of a bucket of deadlines.
_FRAME = 16.0
_BUCKET = 0.1

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
    orders: dict[str, Ints | None]  # projection -> stored synapse of the k-th described one


@dataclass
class _Synapses:
    """One projection, drawn."""

    kind: int
    delay: float  # nan where synapses differ
    weight: Floats
    row_ptr: Ints
    post: npt.NDArray[np.int32]
    delays: Floats
    pre: Ints
    order: Ints | None
    same: bool = False  # one weight stored for all synapses


def compile_network(net: Network) -> CompiledNetwork:
    """Draw, check and lay out a network.

    Raises
    ------
    NetworkError
        For an empty network, and for values that are not finite, of the wrong number, or delays
        below zero: the message names the projection or population and the first bad index.
    """
    if not net.populations:
        raise NetworkError("the network has no populations; add one with Network.population()")
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
                block[v] = _values(pop.initial.get(variable, default), pop.size, where, rng)

    rules: list[type[PlasticityRule]] = []
    rule_rows: list[list[tuple[float, ...]]] = []
    projections = records(n_proj, PROJ)
    projections.rule = -1
    pools: dict[str, list[npt.NDArray[Any]]] = {
        name: []
        for name in ["weight", "row_ptr", "syn_post", "syn_delay", "in_ptr", "in_syn", "in_pre"]
    }
    used = dict.fromkeys([*pools, "x_value", "x_time", "y_value", "y_time"], 0)
    orders: dict[str, Ints | None] = {}

    def put(pool: str, values: npt.NDArray[Any]) -> None:
        pools[pool].append(values)
        used[pool] += values.size

    for q, proj in enumerate(projs):
        drawn = _draw(net, proj)
        orders[proj.name] = drawn.order
        row = projections[q]
        row.pre, row.post = index[proj.pre.name], index[proj.post.name]
        row.kind, row.port, row.delay = drawn.kind, proj.port, drawn.delay
        row.same = drawn.same or drawn.kind == UNIFORM
        row.no_self = (
            drawn.kind != SPARSE and proj.pre is proj.post and not proj.connector.self_connections
        )
        row.w_at, row.row_at = used["weight"], used["row_ptr"]
        row.post_at, row.delay_at = used["syn_post"], used["syn_delay"]
        put("weight", drawn.weight)
        put("row_ptr", drawn.row_ptr)
        put("syn_post", drawn.post)
        put("syn_delay", drawn.delays)
        if proj.rule is None:
            continue
        rule = type(proj.rule)
        row.rule = _number(rule, rules, rule_rows)
        row.rule_row = len(rule_rows[row.rule])
        rule_rows[row.rule].append(tuple(proj.rule.parameters))
        row.transmits = rule.transmit is not PlasticityRule.transmit
        row.learns = rule.learns()
        if not row.learns:
            continue
        row.n_slots = drawn.weight.size if np.isnan(drawn.delay) else proj.pre.size
        row.trace_at, row.trace_x_at = used["x_time"], used["x_value"]
        row.trace_post_at, row.trace_y_at = used["y_time"], used["y_value"]
        used["x_time"] += int(row.n_slots)
        used["x_value"] += int(row.n_slots) * len(rule.pre_traces)
        used["y_time"] += proj.post.size
        used["y_value"] += proj.post.size * len(rule.post_traces)
        row.in_at, row.in_syn_at = used["in_ptr"], used["in_syn"]
        if drawn.kind == SPARSE:
            order = np.lexsort((np.arange(drawn.post.size), drawn.pre, drawn.post))
            counts = np.bincount(drawn.post, minlength=proj.post.size)
            put("in_ptr", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
            put("in_syn", order.astype(np.int64))
            put("in_pre", drawn.pre[order].astype(np.int32))

    table.together = table.group >= 0
    table.together[projections.post[projections.kind == SPARSE]] = 0
    for k, pop in enumerate(pops):
        if isinstance(pop.model, NeuronModel) and not table.together[k]:
            p = pop.model.parameters
            if pop.model.linear and pop.model.has_modes(p):
                shortest = min(pop.model.time_constants(p))
                table[k].lazy = 1
                table[k].frame_length, table[k].bucket = _FRAME * shortest, _BUCKET * shortest
    out_proj, table.out_lo, table.out_hi = _lists(projections.pre, n_pop)
    learning = np.flatnonzero(projections.learns)
    entering, table.learn_lo, table.learn_hi = _lists(projections.post[learning], n_pop)
    dtypes = dict.fromkeys(("weight", "syn_delay"), np.float64)
    narrow = dict.fromkeys(("syn_post", "in_pre"), np.int32)
    joined: dict[str, Any] = {
        name: np.ascontiguousarray(
            np.concatenate(parts) if parts else np.empty(0),
            dtypes.get(name) or narrow.get(name) or np.int64,
        )
        for name, parts in pools.items()
    }
    arrays = NetworkArrays(
        pops=table, projs=projections, out_proj=out_proj, learn_proj=learning[entering], **joined
    )
    horizons = tuple(
        _horizon_table(model, [p.model for p in pops if type(p.model) is model]) for model in models
    )
    groups = Groups(states, _rows(rows), horizons, _rows(rule_rows))
    return CompiledNetwork(net, arrays, groups, tuple(models), tuple(rules), orders)


def _horizon_table(model: type[NeuronModel], instances: list[Any]) -> Floats:
    """What the model's ``allowance`` needs, by population, for each deadline and for ever."""
    if not model.linear:
        return np.zeros((len(instances), 1, 1))
    return np.array(
        [
            [
                model.horizon(one.parameters, dt)
                for dt in (
                    *(h * _BUCKET * min(model.time_constants(one.parameters)) for h in HORIZONS),
                    math.inf,
                )
            ]
            for one in instances
        ]
    )


def _number(cls: Any, known: list[Any], rows: list[list[tuple[float, ...]]]) -> int:
    """The number of a model or rule, a new one if it has not been met."""
    if cls not in known:
        known.append(cls)
        rows.append([])
    return known.index(cls)


def _rows(rows: list[list[tuple[float, ...]]]) -> tuple[Floats, ...]:
    return tuple(np.array(r, np.float64).reshape(len(r), -1) for r in rows)


def _draw(net: Network, proj: Projection) -> _Synapses:
    """Connect, draw weights and delays, sort."""
    where = f"projection {proj.name!r}"
    n_pre, n_post = proj.pre.size, proj.post.size
    weight_rng = generator(net.seed, "projection", proj.name, "weight")
    delay_rng = generator(net.seed, "projection", proj.name, "delay")
    nothing = np.empty(0, np.int64)
    if proj.connector.pairs is None and _is_number(proj.delay):
        delay = _delays(_values(proj.delay, 1, f"{where}: delay", delay_rng), where)
        one = _is_number(proj.weight) and (proj.rule is None or not proj.rule.learns())
        size = 1 if one else n_pre * n_post
        weight = _values(proj.weight, size, f"{where}: weight", weight_rng, (n_pre, n_post))
        return _Synapses(
            UNIFORM if one else DENSE,
            float(delay[0]),
            weight,
            nothing,
            np.empty(0, np.int32),
            np.empty(0),
            nothing,
            None,
        )
    if proj.connector.pairs is None:
        pre = np.repeat(np.arange(n_pre, dtype=np.int64), n_post)
        post = np.tile(np.arange(n_post, dtype=np.int64), n_pre)
    else:
        rng = generator(net.seed, "projection", proj.name, "connect")
        try:
            pre, post = proj.connector.pairs(n_pre, n_post, proj.pre is proj.post, rng)
        except NetworkError as error:
            raise NetworkError(f"{where}: {error}") from None
    matrix = (n_pre, n_post) if proj.connector.pairs is None else None
    same = _is_number(proj.weight) and (proj.rule is None or not proj.rule.learns())
    n = 1 if same else pre.size
    weight = _values(proj.weight, n, f"{where}: weight", weight_rng, matrix)
    delays = _delays(_values(proj.delay, pre.size, f"{where}: delay", delay_rng, matrix), where)
    kept = np.arange(pre.size)
    everything = proj.connector.pairs is None
    if everything and proj.pre is proj.post and not proj.connector.self_connections:
        kept = np.flatnonzero(pre != post)
    kept = kept[np.lexsort((kept, post[kept], delays[kept], pre[kept]))]
    pre, post, delays = pre[kept], post[kept], delays[kept]
    if not same:
        weight = weight[kept]
    single = float(delays[0]) if pre.size and np.all(delays == delays[0]) else np.nan
    if not pre.size:
        single = 0.0
    rows = np.concatenate([[0], np.cumsum(np.bincount(pre, minlength=n_pre))]).astype(np.int64)
    return _Synapses(
        SPARSE,
        single,
        weight,
        rows,
        post.astype(np.int32),
        delays if np.isnan(single) else np.empty(0),
        pre,
        kept,
        same,
    )


def _is_number(value: Values) -> bool:
    return not isinstance(value, (Distribution, list, tuple)) and np.ndim(value) == 0


def _values(
    value: Values,
    n: int,
    where: str,
    rng: np.random.Generator,
    matrix: tuple[int, int] | None = None,
) -> Floats:
    """``n`` finite numbers from a number, a list, a distribution or a ``matrix`` of that shape."""
    if isinstance(value, Distribution):
        result = value.draw(rng, n)
    else:
        try:
            given = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise NetworkError(f"{where} = {value!r}; numbers are needed") from None
        if given.ndim and given.size != n:
            raise NetworkError(f"{where} has {given.size} values; {n} are needed")
        if given.ndim > 1 and given.shape != matrix:
            raise NetworkError(f"{where} has shape {given.shape}; {matrix or (n,)} is needed")
        result = np.full(n, given) if given.ndim == 0 else given.reshape(n).copy()
    wrong = np.flatnonzero(~np.isfinite(result))
    if wrong.size:
        k = int(wrong[0])
        raise NetworkError(f"{where}[{k}] = {result[k]}; finite numbers are needed")
    return result


def _delays(values: Floats, where: str) -> Floats:
    wrong = np.flatnonzero(values < 0.0)
    if wrong.size:
        k = int(wrong[0])
        raise NetworkError(f"{where}: delay[{k}] = {values[k]} ms; delays must be >= 0")
    return values


def _lists(owner: Ints, n: int) -> tuple[Ints, Ints, Ints]:
    """Entries by owner, in order: (entries, first of each owner, one past the last)."""
    order = np.argsort(owner, kind="stable").astype(np.int64)
    ends = np.cumsum(np.bincount(owner, minlength=n)).astype(np.int64)
    return order, np.concatenate([[0], ends[:-1]]).astype(np.int64), ends
