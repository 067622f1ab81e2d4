"""One projection, drawn and laid out: rows of synapses sorted by delay, then target.

No more is stored than tells synapses apart: one weight if all are equal, one delay if all are
equal, and delays in single precision where that loses nothing.  Delays that a distribution draws
are rounded to single precision (24 bits: 0.2 ns at 3 ms) so that this is so; weights and delays
given as arrays keep every bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.arrays import DENSE, SPARSE, UNIFORM
from simulator.connect import Rows
from simulator.connect_kernels import cut_rows
from simulator.distributions import Distribution
from simulator.errors import NetworkError
from simulator.network import Network, Projection, Values
from simulator.seeds import generator

__all__ = [
    "Orders",
    "Pieces",
    "Synapses",
    "checked_values",
    "draw_projection",
    "in_rows",
    "is_number",
    "sort_rows",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BLOCK = 1 << 16  # synapses sorted at a time


@dataclass
class Synapses:
    """One projection, drawn."""

    kind: int
    delay: float  # nan where synapses differ
    weight: Floats  # one, or as many as there are synapses
    row_ptr: Ints
    post: npt.NDArray[np.int32]
    delays: npt.NDArray[Any]  # empty where all are equal; float32 where that is exact
    same: bool  # one weight stored for all synapses
    order: Ints | None = None  # kept where it could not be worked out again


@dataclass(frozen=True, eq=False)
class Pieces:
    """How the rows that reach a population are cut: by who has the target."""

    of: npt.NDArray[np.int32]  # (n_post,) 0..n - 1
    n: int


class Orders(Mapping[str, Ints | None]):
    """Which described synapse each stored one is, by projection; None where they agree.

    An order takes as much memory as a weight and few ask for it: it is drawn again on demand,
    except where delays were given as an array, which may have changed since.
    """

    def __init__(
        self, net: Network, known: Mapping[str, Ints], pieces: Mapping[str, Pieces]
    ) -> None:
        self._net, self._pieces = net, pieces
        self._projections = dict(net.projections)
        self._known: dict[str, Ints | None] = dict(known)

    def __getitem__(self, name: str) -> Ints | None:
        if name not in self._known:
            proj = self._projections[name]
            self._known[name] = self._drawn_again(proj)
        return self._known[name]

    def _drawn_again(self, proj: Projection) -> Ints | None:
        if proj.connector.rows is None and is_number(proj.delay):
            return None
        rows, delays = _rows_and_delays(self._net, proj)
        if is_number(proj.delay):
            return rows.order
        order = _row_order(rows)
        sort_rows(rows, self._pieces.get(proj.post.name), delays, order)
        return order

    def __iter__(self) -> Iterator[str]:
        return iter(self._projections)

    def __len__(self) -> int:
        return len(self._projections)


def in_rows(proj: Projection) -> bool:
    """Whether a projection has to be kept in rows of synapses."""
    return proj.connector.rows is not None or not is_number(proj.delay)


def draw_projection(
    net: Network, proj: Projection, pieces: Pieces | None = None, spread: bool = False
) -> Synapses:
    """Connect, draw weights and delays, sort.

    With ``pieces`` each row is cut into them, and sorted by delay within them.  ``spread`` keeps
    rows, a delay for each synapse and the order even where one would do, because the pieces of a
    row travel for themselves.
    """
    where = f"projection {proj.name!r}"
    n_pre, n_post = proj.pre.size, proj.post.size
    matrix = (n_pre, n_post) if proj.connector.rows is None else None
    rng = generator(net.seed, "projection", proj.name, "weight")
    same = is_number(proj.weight) and (proj.rule is None or not proj.rule.changes_weights())
    if not (in_rows(proj) or spread):
        delay = _checked_delays(checked_values(proj.delay, 1, f"{where}: delay"), where)
        weight = checked_values(
            proj.weight, 1 if same else n_pre * n_post, f"{where}: weight", rng, matrix
        )
        return Synapses(
            UNIFORM if same else DENSE, float(delay[0]), weight, np.empty(0, np.int64),
            np.empty(0, np.int32), np.empty(0), same,
        )  # fmt: skip
    rows, delays = _rows_and_delays(net, proj)
    n = n_pre * n_post if matrix is not None else rows.post.size
    weight = checked_values(proj.weight, 1 if same else n, f"{where}: weight", rng, matrix)
    if rows.order is not None and not same:
        weight = weight[rows.order]
    order = None
    given = not is_number(proj.delay) and not isinstance(proj.delay, Distribution)
    if not same and (given or spread):
        order = _row_order(rows)
    single = np.nan
    if spread:
        delays = _narrowed(np.broadcast_to(delays, rows.post.size).copy(), False)
        sort_rows(rows, pieces, delays, None if same else weight, order)
    elif not _differ(delays, rows.post.size):
        single = float(delays[0]) if rows.post.size else 0.0
        delays = np.empty(0, np.float32)
    else:
        sort_rows(rows, pieces, delays, None if same else weight, order)
    row_ptr = rows.first
    if pieces is not None:
        row_ptr = np.empty(n_pre * pieces.n + 1, np.int64)
        cut_rows(rows.first, rows.post, pieces.of, pieces.n, row_ptr)
    return Synapses(SPARSE, single, weight, row_ptr, rows.post, delays, same, order)


def _rows_and_delays(net: Network, proj: Projection) -> tuple[Rows, npt.NDArray[Any]]:
    """Rows as connected; delays in the same order, or a single one."""
    where = f"projection {proj.name!r}"
    n_pre, n_post = proj.pre.size, proj.post.size
    recurrent = proj.pre is proj.post
    if proj.connector.rows is None:
        matrix = (n_pre, n_post)
        rows = _whole_matrix(n_pre, n_post, recurrent and not proj.connector.self_connections)
        n = n_pre * n_post
    else:
        matrix = None
        rng = generator(net.seed, "projection", proj.name, "connect")
        try:
            rows = proj.connector.rows(n_pre, n_post, recurrent, rng)
        except NetworkError as error:
            raise NetworkError(f"{where}: {error}") from None
        n = rows.post.size
    if is_number(proj.delay):
        return rows, _checked_delays(checked_values(proj.delay, 1, f"{where}: delay"), where)
    rng = generator(net.seed, "projection", proj.name, "delay")
    values = checked_values(proj.delay, n, f"{where}: delay", rng, matrix)
    delays = _narrowed(_checked_delays(values, where), isinstance(proj.delay, Distribution))
    return rows, delays if rows.order is None else delays[rows.order]


def _differ(delays: npt.NDArray[Any], n: int) -> bool:
    """Whether ``n`` synapses have these delays, and not all the same."""
    return delays.size == max(n, 2) and not bool(np.all(delays == delays[0]))


def _row_order(rows: Rows) -> Ints:
    return np.arange(rows.post.size, dtype=np.int64) if rows.order is None else rows.order


def _whole_matrix(n_pre: int, n_post: int, no_self: bool) -> Rows:
    """All-to-all as rows, without the diagonal where ``no_self``."""
    kept = np.arange(n_pre * n_post, dtype=np.int64)
    if no_self:
        kept = kept[kept // n_post != kept % n_post]
    per_row = n_post - 1 if no_self else n_post
    first = np.arange(n_pre + 1, dtype=np.int64) * per_row
    return Rows(first, (kept % n_post).astype(np.int32), kept)


def _narrowed(delays: Floats, rounded: bool) -> npt.NDArray[Any]:
    """In single precision, if that is exact or the values are to be rounded."""
    if not delays.size or delays.max() > np.finfo(np.float32).max:
        return delays
    narrow = delays.astype(np.float32)
    return narrow if rounded or np.array_equal(narrow, delays) else delays


def sort_rows(
    rows: Rows,
    pieces: Pieces | None,
    delays: npt.NDArray[Any],
    *others: npt.NDArray[Any] | None,
) -> None:
    """Sort each row by piece, then delay, in place and some rows at a time; ties stay in order."""
    first = rows.first
    lo, n_pre = 0, first.size - 1
    while lo < n_pre:
        hi = max(lo + 1, int(np.searchsorted(first, first[lo] + _BLOCK, side="right")) - 1)
        part = slice(first[lo], first[hi])
        owner = np.repeat(np.arange(hi - lo), np.diff(first[lo : hi + 1]))
        if pieces is not None:
            owner = owner * pieces.n + pieces.of[rows.post[part]]
        by = np.lexsort((delays[part], owner))
        for values in (rows.post, delays, *others):
            if values is not None:
                values[part] = values[part][by]
        lo = hi


def is_number(value: Values) -> bool:
    """Whether one number stands for all synapses."""
    return not isinstance(value, (Distribution, list, tuple)) and np.ndim(value) == 0


def checked_values(
    value: Values,
    n: int,
    where: str,
    rng: np.random.Generator | None = None,
    matrix: tuple[int, int] | None = None,
) -> Floats:
    """``n`` finite numbers from a number, a list, a distribution or a ``matrix`` of that shape."""
    if isinstance(value, Distribution):
        assert rng is not None
        result = np.require(value.draw(rng, n), np.float64, ["C", "W", "O"])
        if result.shape != (n,):
            raise NetworkError(f"{where}: {value} drew shape {result.shape}; {(n,)} is needed")
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


def _checked_delays(values: Floats, where: str) -> Floats:
    wrong = np.flatnonzero(values < 0.0)
    if wrong.size:
        k = int(wrong[0])
        raise NetworkError(f"{where}: delay[{k}] = {values[k]} ms; delays must be >= 0")
    return values
