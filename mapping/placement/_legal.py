"""Which places a logical core may have, and placements that keep to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mapping.assignment import assign
from mapping.graph import IntArray
from mapping.mesh import Mesh
from mapping.traffic import Traffic
from simulator.errors import MappingError

__all__ = ["along", "legal_mask", "nearest_legal", "random_legal", "traffic_groups"]

BoolArray = NDArray[np.bool_]


def legal_mask(traffic: Traffic, mesh: Mesh, allowed: ArrayLike | None) -> BoolArray:
    """Places every logical core may have, shape (n_logical, n_cores).

    Usable cores only, those of `allowed` only, and for logical cores that exchange packets, even
    through others, one part of the mesh in which every core can send to every other.

    Raises
    ------
    MappingError
        `allowed` is not a bool array of that shape, or there is no placement within it.
    """
    n = traffic.n_cores
    usable = mesh.usable_cores
    if n > usable.size:
        raise MappingError(
            f"{n} logical cores do not fit on the {usable.size} cores of the {mesh}: "
            f"{n - usable.size} short; take a larger mesh"
        )
    mask = np.zeros((n, mesh.n_cores), dtype=np.bool_)
    mask[:, usable] = True
    if allowed is not None:
        given = np.asarray(allowed)
        if given.dtype != np.bool_ or given.shape != mask.shape:
            raise MappingError(
                f"allowed is {given.dtype} of shape {given.shape}; expected bool of shape "
                f"{mask.shape}, logical by physical cores"
            )
        mask &= given
        _check_feasible(mask, mesh)
    parts = _parts(mesh)
    return mask if len(parts) == 1 else _within_parts(traffic, mesh, mask, parts)


def nearest_legal(mask: BoolArray, mesh: Mesh, wanted: IntArray) -> IntArray:
    """The placement within `mask` nearest to a wanted one, which may be any core numbers.

    Nearest by the sum of squared distances on the grid, wrap-around links left aside.
    """
    if mask[np.arange(wanted.size), wanted].all() and np.unique(wanted).size == wanted.size:
        return wanted.astype(np.int64)
    y, x = np.divmod(np.arange(mesh.n_cores), mesh.width)
    cost = (x[wanted, None] - x) ** 2 + (y[wanted, None] - y) ** 2
    return assign_within(mask, cost.astype(np.int64))


def random_legal(mask: BoolArray, mesh: Mesh, rng: np.random.Generator) -> IntArray:
    """A random placement within `mask`."""
    usable = mesh.usable_cores
    if mask[:, usable].all():
        chosen: IntArray = rng.permutation(usable)[: len(mask)].astype(np.int64)
        return chosen
    return assign_within(mask, rng.integers(0, 1_000_000, mask.shape))


def along(mask: BoolArray, mesh: Mesh, order: IntArray) -> IntArray:
    """Logical core i on the i-th place of an order of all cores, past those nobody may have.

    Where not every logical core may have every place, the placement within `mask` that is nearest
    to that, by the squared differences of positions in the order.
    """
    free = order[np.isin(order, np.flatnonzero(mask.any(axis=0)))]
    if mask[:, free].all():
        return free[: len(mask)].astype(np.int64)
    position = np.zeros(mesh.n_cores, dtype=np.int64)
    position[free] = np.arange(free.size)
    return assign_within(mask, (position[None, :] - np.arange(len(mask))[:, None]) ** 2)


def assign_within(mask: BoolArray, cost: IntArray) -> IntArray:
    """The cheapest placement within `mask`, which has one; costs >= 0 of shape `mask.shape`."""
    columns = np.flatnonzero(mask.any(axis=0))
    # One forbidden place costs more than any placement without.
    forbidden = int(cost.max()) * len(cost) + 1
    within = np.where(mask, cost, forbidden)[:, columns]
    placed: IntArray = columns[assign(np.ascontiguousarray(within, dtype=np.int64))]
    return placed


def _check_feasible(mask: BoolArray, mesh: Mesh) -> None:
    nowhere = np.flatnonzero(~mask.any(axis=1))
    if nowhere.size:
        raise MappingError(
            f"logical core {nowhere[0]} may go to no usable core of the {mesh}; "
            "allow it another one, or take a larger machine"
        )
    placed = assign_within(mask, np.zeros(mask.shape, dtype=np.int64))
    left_out = np.flatnonzero(~mask[np.arange(len(mask)), placed])
    if left_out.size:
        crowd, places = _crowd(mask, placed, int(left_out[0]))
        raise MappingError(
            f"logical cores {_listed(crowd)} may go to {len(places)} cores only, {_listed(places)}:"
            f" {len(crowd) - len(places)} short; allow them more, or take a larger machine"
        )


def _crowd(mask: BoolArray, placed: IntArray, first: int) -> tuple[list[int], list[int]]:
    """Logical cores that are more than all the places they may have (Hall), from one without."""
    holder = {int(core): i for i, core in enumerate(placed) if mask[i, core]}
    crowd, places = [first], set[int]()
    for i in crowd:
        for core in np.flatnonzero(mask[i]).tolist():
            if core not in places:
                places.add(core)
                crowd.append(holder[core])
    return sorted(crowd), sorted(places)


def _listed(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:6])
    return shown if len(numbers) <= 6 else f"{shown}, ... ({len(numbers)})"


def _parts(mesh: Mesh) -> list[IntArray]:
    """Usable cores in sets within which every core can send to every other, largest first."""
    usable = mesh.usable_cores
    reach = mesh.distances[np.ix_(usable, usable)] >= 0
    if reach.all():
        return [usable]
    both = reach & reach.T
    # Being able to send both ways is an equivalence: a core's part is known by its first member.
    first = both.argmax(axis=1)
    parts = [usable[first == member] for member in np.unique(first)]
    return sorted(parts, key=lambda part: (-part.size, int(part[0])))


def _within_parts(
    traffic: Traffic, mesh: Mesh, mask: BoolArray, parts: list[IntArray]
) -> BoolArray:
    """Give every group of logical cores that exchange packets one part: the first it fits in."""
    groups = traffic_groups(traffic)
    narrowed = np.zeros_like(mask)
    held: list[list[int]] = [[] for _ in parts]
    for group in groups:
        for part, inside in zip(parts, held, strict=True):
            together = np.array(inside + group)
            only = np.zeros_like(mask[together])
            only[:, part] = mask[np.ix_(together, part)]
            if _feasible(only):
                inside += group
                members = np.array(group)
                narrowed[np.ix_(members, part)] = mask[np.ix_(members, part)]
                break
        else:
            raise MappingError(
                f"{len(group)} logical cores that exchange packets, {_listed(group)}, fit in none "
                f"of the {len(parts)} parts into which the missing links cut the {mesh}; the "
                f"largest has {parts[0].size} usable cores"
            )
    return narrowed


def _feasible(mask: BoolArray) -> bool:
    """Whether there is a placement within a mask."""
    open_places = mask.any(axis=0)
    if mask[:, open_places].all():
        return len(mask) <= int(np.count_nonzero(open_places))
    if not mask.any(axis=1).all():
        return False
    placed = assign_within(mask, np.zeros(mask.shape, dtype=np.int64))
    return bool(mask[np.arange(len(mask)), placed].all())


def traffic_groups(traffic: Traffic) -> list[list[int]]:
    """Logical cores joined by packets in either direction, largest group first."""
    joined = (traffic.packets + traffic.packets.T) > 0
    left = np.ones(traffic.n_cores, dtype=np.bool_)
    groups = []
    for core in range(traffic.n_cores):
        if left[core]:
            left[core] = False
            group = [core]
            for i in group:
                more = np.flatnonzero(joined[i] & left)
                left[more] = False
                group += more.tolist()
            groups.append(sorted(group))
    return sorted(groups, key=len, reverse=True)
