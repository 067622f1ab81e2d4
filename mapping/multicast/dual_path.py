"""Dual-path: two packets along a Hamiltonian path of the mesh, one each way; no branches.

Routers are numbered along a snake (row 0 eastwards, row 1 westwards, ...). One packet visits the
targets with higher numbers than the source in ascending order, the other those with lower numbers
in descending order; from router to router it takes the neighbour whose number is nearest to that
of the next target without passing it. Each packet's channels rise (or fall) in number, so no
circle of channels can close, however many packets; it drops a copy at each target on its way.

X. Lin, L. M. Ni, Deadlock-free multicast wormhole routing in multicomputer networks, ISCA 1991;
X. Lin, P. K. McKinley, L. M. Ni, IEEE TPDS 5, 1994 (dual-path).
"""

from __future__ import annotations

from mapping.mesh import Mesh
from mapping.multicast._base import Parents
from mapping.routing import Channel
from simulator.errors import MappingError

__all__ = ["APART", "snake_number", "tree"]

APART = True


def snake_number(mesh: Mesh, core: int) -> int:
    """Place of a router on the Hamiltonian path."""
    x, y = mesh.coordinates(core)
    return y * mesh.width + (x if y % 2 == 0 else mesh.width - 1 - x)


def tree(mesh: Mesh, source: int, targets: list[int]) -> tuple[Parents, dict[int, Channel]]:
    parents: Parents = {}
    arrival: dict[int, Channel] = {}
    start = snake_number(mesh, source)
    numbered = sorted((snake_number(mesh, target), target) for target in targets)
    for sign, some in (
        (1, [t for number, t in numbered if number > start]),
        (-1, [t for number, t in reversed(numbered) if number < start]),
    ):
        router, held = source, None
        for target in some:
            while router != target:
                channel = _step(mesh, router, target, sign)
                parents[channel] = held
                router, held = mesh.link_target(channel.link), channel
            if held is not None:
                arrival[target] = held
    return parents, arrival


def _step(mesh: Mesh, router: int, target: int, sign: int) -> Channel:
    here, there = sign * snake_number(mesh, router), sign * snake_number(mesh, target)
    best, best_number = -1, here
    for link in range(4 * router, 4 * router + 4):
        if mesh.has_link(link):
            number = sign * snake_number(mesh, mesh.link_target(link))
            if best_number < number <= there:
                best, best_number = link, number
    if best < 0:
        raise MappingError(
            f"multicast 'dual_path' at {mesh.coordinates(router)}: the next router of the "
            f"Hamiltonian path towards {mesh.coordinates(target)} cannot be reached"
        )
    return Channel(best)
