"""Private inputs: independent spikes that only one neuron gets, drawn by that neuron itself.

A projection one-to-one from a Poisson source is most of the work of many network models, yet none
of its spikes concerns anybody but its target.  A neuron that is left alone (lazy) draws the
arrivals of such an input some time ahead, adds those that are past to its amplitudes when it is
examined, and allows for the others up to its next deadline.  The spikes are those that the source
would hand out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.arrays import INPUT, SPARSE, Floats, Records, records
from simulator.errors import NetworkError
from simulator.inner import register_jitable
from simulator.network import Network
from simulator.poisson_cells import MOST_IN_CELL, draw_cell
from simulator.sources import SpikeSource, source_stream

__all__ = [
    "MOST_AHEAD",
    "PrivateInputs",
    "arrivals_until",
    "draw_next",
    "drop_arrivals",
    "look_ahead",
    "private_inputs",
    "silence",
]

_BUCKET_ARRIVALS = 2.0  # arrivals of the busiest neuron in a bucket of deadlines
_ENOUGH_AHEAD = 12  # arrivals known ahead: no further cell is drawn then
MOST_AHEAD = _ENOUGH_AHEAD + MOST_IN_CELL


class PrivateInputs(NamedTuple):
    """The private inputs of a network, and the projections that they stand for."""

    table: Records  # (n_inputs,) INPUT
    projections: list[int]
    starts: Floats
    rates: Floats


def private_inputs(
    net: Network, pops: Records, projs: Records, weights: list[Floats]
) -> PrivateInputs:
    """Find them, one a lazy population; fill in ``input`` and shorten ``bucket`` of ``pops``.

    Whether the source is recorded makes no difference, so that recording changes nothing.
    """
    pops.input = -1
    found: list[int] = []
    starts, rates = [np.empty(0)], [np.empty(0)]
    table = records(projs.size, INPUT)
    driven = n_starts = n_rates = 0
    for q, proj in enumerate(net.projections.values()):
        row, target = projs[q], pops[projs[q].post]
        if not (
            isinstance(proj.pre.model, SpikeSource)
            and proj.connector.name == "one_to_one"
            and target.lazy
            and target.input < 0
            and row.kind == SPARSE
            and row.same
            and row.rule < 0
            and not np.isnan(row.delay)
        ):
            continue
        given = proj.pre.model.private_input(source_stream(net, proj.pre.name))
        if given is None:
            continue
        if any(plan.population == proj.post.name for plan in net.recorders.events):
            raise NetworkError(
                f"recorder of {proj.post.name!r}: its neurons draw the spikes of {proj.pre.name!r} "
                "for themselves, and nobody sees them arrive; connect the two with "
                "explicit(range(n), range(n)) instead of one_to_one() to record every event"
            )
        one = table[len(found)]
        one.weight, one.delay, one.port = weights[q][0], row.delay, row.port
        one.key, one.cell_ms = given.key, given.cell_ms
        one.at, one.first = driven, 0
        one.pieces_at, one.n_pieces = n_starts, given.starts.size
        one.rates_at, one.columns = n_rates, given.rates.shape[1]
        starts.append(given.starts)
        rates.append(given.rates.ravel())
        driven += proj.post.size
        n_starts += given.starts.size
        n_rates += given.rates.size
        target.input = len(found)
        target.bucket = min(target.bucket, _BUCKET_ARRIVALS / float(given.rates.max()))
        found.append(q)
    return PrivateInputs(table[: len(found)], found, np.concatenate(starts), np.concatenate(rates))


@register_jitable(forceinline=True)
def drop_between(st: Any, r: int, lo: float, hi: float) -> None:
    """Drop the arrivals in (lo, hi] of a neuron."""
    kept, times = 0, st.ahead_t[r]
    for b in range(st.ahead[r].n):
        if not lo < times[b] <= hi:
            times[kept] = times[b]
            kept += 1
    st.ahead[r].n = kept


@register_jitable(forceinline=True)
def draw_next(net: Any, st: Any, e: int, r: int) -> None:
    """Append the next cell of neuron ``r`` of input ``e`` to its arrivals."""
    one, mine = net.inputs[e], st.ahead[r]
    mine.n = draw_cell(
        np.uint64(one.key), one.first + r - one.at, mine.cell, one.cell_ms,
        net.input_starts[one.pieces_at : one.pieces_at + one.n_pieces],
        net.input_rates[one.rates_at : one.rates_at + one.n_pieces * one.columns], one.columns,
        one.delay, st.ahead_t[r], mine.n,
    )  # fmt: skip
    if mine.quiet_to > mine.known:
        drop_between(st, r, mine.quiet_from, mine.quiet_to)
    mine.cell += 1
    mine.known = mine.cell * one.cell_ms + one.delay


@register_jitable(forceinline=True)
def look_ahead(net: Any, st: Any, e: int, r: int, used: int, until: float) -> None:
    """Drop the first ``used`` arrivals and draw more, up to ``until`` or until there are enough."""
    mine, times = st.ahead[r], st.ahead_t[r]
    for b in range(used, mine.n):
        times[b - used] = times[b]
    mine.n -= used
    while mine.n < _ENOUGH_AHEAD and mine.known < until:
        draw_next(net, st, e, r)


def arrivals_until(net: Any, st: Any, e: int, r: int, t: float) -> Floats:
    """Arrivals up to time ``t`` (ms) that are not yet added to the amplitudes; changes nothing."""
    one = slice(r, r + 1)
    copy = st._replace(ahead=st.ahead[one].copy(), ahead_t=st.ahead_t[one].copy())
    inputs = net.inputs[e : e + 1].copy()
    inputs.first += r - inputs.at
    inputs.at = 0
    alone = net._replace(inputs=inputs)
    times: list[float] = []
    with np.errstate(over="ignore"):  # hashes wrap around, of which only plain Python warns
        while True:
            mine = copy.ahead[0]
            times += [float(s) for s in copy.ahead_t[0, : mine.n] if s <= t]
            if mine.known > t:
                return np.array(times)
            mine.n = 0
            draw_next(alone, copy, 0, 0)


def drop_arrivals(net: Any, st: Any, e: int, size: int, t: float) -> None:
    """Take the arrivals of a population up to time ``t`` (ms) for added."""
    with np.errstate(over="ignore"):
        for r in range(int(net.inputs[e].at), int(net.inputs[e].at) + size):
            while True:
                drop_between(st, r, -np.inf, t)
                if st.ahead[r].known > t:
                    break
                draw_next(net, st, e, r)


def silence(net: Any, st: Any, e: int, size: int, t: float) -> None:
    """Drop the arrivals of a population that are in flight at time ``t`` (ms)."""
    for r in range(int(net.inputs[e].at), int(net.inputs[e].at) + size):
        st.ahead[r].quiet_from, st.ahead[r].quiet_to = t, t + float(net.inputs[e].delay)
        drop_between(st, r, t, st.ahead[r].quiet_to)
