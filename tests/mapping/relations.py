"""Relations to try verdicts on: all of a small mesh, or drawn at random."""

from __future__ import annotations

import itertools

import numpy as np

from mapping import Channel, RoutingFunction
from mapping.routing import TableDriven


def nearer_links(mesh, router, target):
    """Links that lead one hop nearer."""
    links = range(4 * router, 4 * router + 4)
    distances = mesh.distances
    return [
        link
        for link in links
        if mesh.has_link(link)
        and distances[mesh.link_target(link), target] == distances[router, target] - 1
    ]


def every_minimal_table(mesh):
    """Every minimal relation of (router, target) on one virtual channel: 81 on 2x2."""
    n = mesh.n_cores
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    options = []
    for router, target in pairs:
        links = nearer_links(mesh, router, target)
        sizes = range(1, len(links) + 1)
        options.append([kept for size in sizes for kept in itertools.combinations(links, size)])
    for choice in itertools.product(*options):
        table = np.full((n, n, 4), -1)
        for (router, target), links in zip(pairs, choice, strict=True):
            table[router, target, : len(links)] = links
        yield TableDriven(table)


def random_table(mesh, rng, most=2):
    """A minimal relation of (router, target), with up to `most` links each."""
    n = mesh.n_cores
    table = np.full((n, n, most), -1)
    for router, target in itertools.product(mesh.usable_cores.tolist(), repeat=2):
        if router != target:
            links = rng.permutation(nearer_links(mesh, router, target))[: rng.integers(1, most + 1)]
            table[router, target, : len(links)] = links
    return TableDriven(table)


class RandomRelation(RoutingFunction):
    """Some of the channels that lead nearer, by router, target and the channel come by.

    Parameters
    ----------
    seed : int
    virtual_channels : int
    density : float
        Probability that a channel that leads nearer is offered; one is in any case.
    memory : bool
        Whether it looks at the channel that a packet came by.
    with_escape : bool
        Virtual channel 0 is that of XY, and always offered.
    """

    name = "random_relation"

    def __init__(self, seed, virtual_channels, density, *, memory=False, with_escape=False):
        self.seed, self.virtual_channels, self.density = seed, virtual_channels, density
        self.memory, self.with_escape = memory, with_escape

    def next_channels(self, mesh, router, came_by, target):
        held = 0 if came_by is None or not self.memory else 1 + came_by.link * 8 + came_by.vc
        rng = np.random.default_rng((self.seed, router, target, held))
        links = nearer_links(mesh, router, target)
        if not links:
            return ()
        first = 1 if self.with_escape else 0
        channels = [
            Channel(link, vc) for link in links for vc in range(first, self.virtual_channels)
        ]
        kept = [channel for channel in channels if rng.random() < self.density]
        if self.with_escape:  # along the row first: N, E, S, W are the directions 0..3
            kept.append(Channel(max(links, key=lambda link: link % 2), 0))
        return tuple(kept) or (channels[rng.integers(len(channels))],)
