"""Moves between placements and what they change: one logical core goes to another place, and
whoever is there comes back.

A move costs one pass over the partners of the cores it touches, not a recomputation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mapping.graph import IntArray
from mapping.kernel_part import kernel, kernel_part
from mapping.placement._problem import Problem, Tables, route_loads
from mapping.placement._routes import add_route

__all__ = ["State", "allowed_move", "descend", "move_loads", "pair_change", "start_state", "swap"]

FloatArray = NDArray[np.float64]


class State(NamedTuple):
    """A placement in the course of a search.

    Attributes
    ----------
    core_of : int64 array, shape (n_logical,)
    occupant : int64 array, shape (n_cores,)
        Logical core at each place, -1 for none.
    loads : int64 array, shape (n_link_ids,)
        [packets] of every link; empty if links do not matter.
    sums : float64 array, shape (3,)
        The objective, the part of it that is a sum over pairs, and the sum of squared loads.
    """

    core_of: IntArray
    occupant: IntArray
    loads: IntArray
    sums: FloatArray


def start_state(problem: Problem, core_of: IntArray) -> State:
    """State of a placement, which is copied."""
    t = problem.tables
    occupant = np.full(problem.mesh.n_cores, -1, dtype=np.int64)
    occupant[core_of] = np.arange(core_of.size)
    loads = np.zeros(problem.mesh.n_link_ids if t.load_weight > 0 else 0, dtype=np.int64)
    squares = route_loads(t, core_of, loads) if t.load_weight > 0 else 0.0
    value = problem.value(core_of)
    pairs = value - t.load_weight * float(loads.max(initial=0))
    return State(core_of.copy(), occupant, loads, np.array([value, pairs, squares]))


@kernel_part
def pair_change(t: Tables, core_of: IntArray, a: int, b: int, to: int) -> float:
    """Change of the sum over pairs when logical core `a` goes to place `to` and `b` comes back.

    b = -1 for an empty place.
    """
    change = 0.0
    one, other, here, there = a, b, core_of[a], to
    for _ in range(2):
        if one < 0:
            break
        # What the two send each other is in their outgoing lists, once; elsewhere it is left out.
        for k in range(t.start[one], t.start[one + 1]):
            j = t.partner[k]
            if j == other:
                change += t.packets[k] * (t.distance[there, here] - t.distance[here, there])
            else:
                p = core_of[j]
                change += t.packets[k] * (t.distance[there, p] - t.distance[here, p])
        for k in range(t.start_in[one], t.start_in[one + 1]):
            j = t.partner_in[k]
            if j != other:
                p = core_of[j]
                change += t.packets_in[k] * (t.distance_back[there, p] - t.distance_back[here, p])
        one, other, here, there = other, one, there, here
    return change


@kernel_part
def move_loads(
    t: Tables, core_of: IntArray, loads: IntArray, a: int, b: int, to: int, sign: int
) -> float:
    """Put the packets of a and b on their links as after the move; sign = -1 takes that back.

    `core_of` is that before the move, in both cases. Returns the change of the sum of squares.
    """
    here = core_of[a]
    squares = 0.0
    for side in range(2):
        mover, other = (a, b) if side == 0 else (b, a)
        if mover < 0:
            continue
        old, new = (here, to) if side == 0 else (to, here)
        for k in range(t.start[mover], t.start[mover + 1]):
            j = t.partner[k]
            p = core_of[j]
            after = old if j == other else p
            squares += add_route(t.routes, old, p, -sign * t.packets[k], loads)
            squares += add_route(t.routes, new, after, sign * t.packets[k], loads)
        for k in range(t.start_in[mover], t.start_in[mover + 1]):
            j = t.partner_in[k]
            if j != other:
                p = core_of[j]
                squares += add_route(t.routes, p, old, -sign * t.packets_in[k], loads)
                squares += add_route(t.routes, p, new, sign * t.packets_in[k], loads)
    return squares


@kernel_part
def swap(core_of: IntArray, occupant: IntArray, a: int, b: int, to: int) -> None:
    """Make the move."""
    here = core_of[a]
    core_of[a] = to
    occupant[to] = a
    occupant[here] = b
    if b >= 0:
        core_of[b] = here


@kernel_part
def allowed_move(t: Tables, s: State, a: int, b: int, to: int) -> bool:
    """Whether both may go where the move takes them."""
    return t.allowed[a, to] and (b < 0 or t.allowed[b, s.core_of[a]])


@kernel_part
def highest(loads: IntArray) -> int:
    """The heaviest load."""
    most = 0
    for load in loads:
        if load > most:
            most = load
    return most


@kernel_part
def try_move(t: Tables, s: State, a: int, b: int, to: int, after: FloatArray) -> float:
    """Change of the objective. Writes the `sums` after the move, and leaves `loads` moved."""
    after[1] = s.sums[1] + pair_change(t, s.core_of, a, b, to)
    after[0] = after[1]
    after[2] = s.sums[2]
    if t.load_weight > 0:
        after[2] += move_loads(t, s.core_of, s.loads, a, b, to, 1)
        after[0] += t.load_weight * highest(s.loads)
    change: float = after[0] - s.sums[0]
    return change


@kernel_part
def copy_into(target: Any, source: Any) -> None:
    """``target[:] = source``, which takes numba 3 s to compile."""
    for k in range(target.size):
        target[k] = source[k]


@kernel_part
def keep_move(s: State, a: int, b: int, to: int, after: FloatArray) -> None:
    """Make a move that was tried."""
    swap(s.core_of, s.occupant, a, b, to)
    copy_into(s.sums, after)


@kernel_part
def drop_move(t: Tables, s: State, a: int, b: int, to: int) -> None:
    """Take back what trying a move has done."""
    if t.load_weight > 0:
        move_loads(t, s.core_of, s.loads, a, b, to, -1)


@kernel
def descend(t: Tables, s: State, where: IntArray, most: int, after: FloatArray) -> int:
    """Take every improving move in turn until a whole round has found none, or `most` are tried.

    Moves are numbered core by core.

    Parameters
    ----------
    where : int64 array, shape (2,)
        Number of the next move, and how many were tried since the last gain; kept up to date, so
        that a descent goes on where it was. It has ended when the second reaches the number of
        moves there are.
    after : float64 array, shape (3,)
        Room for the sums after a move.

    Returns
    -------
    int
        How many were tried.
    """
    n, places = s.core_of.size, s.occupant.size
    number, since = where[0], where[1]
    tried = 0
    while tried < most and since < n * places:
        a, to = number // places, number % places
        b = s.occupant[to]
        if to != s.core_of[a] and allowed_move(t, s, a, b, to):
            change = try_move(t, s, a, b, to, after)
            # Rounding must not pass for a gain, or two placements could take turns.
            gain = 1e-12 * abs(s.sums[0]) < -change
            if not gain and change == 0.0 and t.load_weight > 0:
                gain = after[2] < s.sums[2]
            if gain:
                keep_move(s, a, b, to, after)
                since = -1
            else:
                drop_move(t, s, a, b, to)
        number = (number + 1) % (n * places)
        since += 1
        tried += 1
    where[0], where[1] = number, since
    return tried
