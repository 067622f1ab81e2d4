"""Each routing function against its own definition, path by path."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping import Channel, Mesh, routing_function, routing_names
from mapping.routing import TURNS, TableDriven, TurnSet, compiled_offers, grid_of, route
from mapping.routing.adaptive_escape import AdaptiveEscape
from mapping.routing.fully_adaptive import FullyAdaptive
from simulator.errors import DataError, MappingError

sides = st.integers(1, 5)
MODELS = {
    "xy": {"N2E", "N2W", "S2E", "S2W"},
    "yx": {"E2N", "E2S", "W2N", "W2S"},
    "west_first": {"N2W", "S2W"},
    "north_last": {"N2E", "N2W"},
    "negative_first": {"E2S", "N2W", "N2E", "E2N"} - {"N2E", "E2N"},
    "fully_adaptive": set(),
}


def walks(mesh, routing, source, target):
    """All channel sequences that a packet may take, by recursion."""

    def extend(router, came_by):
        if router == target:
            yield ()
            return
        for channel in routing.next_channels(mesh, router, came_by, target):
            for rest in extend(mesh.link_target(channel.link), channel):
                yield (channel, *rest)

    return sorted(extend(source, None))


def shortest_paths(mesh, source, target, allowed):
    """All shortest link sequences on a mesh whose turns, column by column, are allowed."""
    (x, y), (to_x, to_y) = mesh.coordinates(source), mesh.coordinates(target)
    found = []

    def extend(x, y, path):
        if (x, y) == (to_x, to_y):
            found.append(tuple(path))
            return
        steps = [("E", x < to_x, 1, 0), ("W", x > to_x, -1, 0)]
        steps += [("S", y < to_y, 0, 1), ("N", y > to_y, 0, -1)]
        for direction, wanted, dx, dy in steps:
            came = mesh.link_direction(path[-1]) if path else direction
            if wanted and (came == direction or allowed(f"{came}2{direction}", x)):
                extend(x + dx, y + dy, [*path, mesh.link(mesh.core(x, y), direction)])

    extend(x, y, [])
    return sorted(found)


def links_of(paths):
    return [tuple(channel.link for channel in path) for path in paths]


def ends(data, mesh):
    core = st.integers(0, mesh.n_cores - 1)
    return data.draw(core), data.draw(core)


@pytest.mark.parametrize("name", sorted(MODELS))
@settings(max_examples=25, deadline=None)
@given(sides, sides, st.data())
def test_turn_models_take_every_shortest_path_without_a_forbidden_turn(name, width, height, data):
    mesh = Mesh(width, height)
    source, target = ends(data, mesh)
    paths = walks(mesh, routing_function(name, mesh), source, target)
    expected = shortest_paths(mesh, source, target, lambda turn, x: turn not in MODELS[name])
    assert links_of(paths) == expected
    same = TurnSet(set(TURNS) - MODELS[name])
    assert walks(mesh, same, source, target) == paths


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.data())
def test_odd_even_takes_every_shortest_path_that_its_rules_allow(width, height, data):
    mesh = Mesh(width, height)
    source, target = ends(data, mesh)

    def allowed(turn, x):
        forbidden = {"E2N", "E2S"} if x % 2 == 0 else {"N2W", "S2W"}
        return turn not in forbidden

    paths = walks(mesh, routing_function("odd_even", mesh), source, target)
    assert links_of(paths) == shortest_paths(mesh, source, target, allowed)
    assert paths


@settings(max_examples=25, deadline=None)
@given(sides, sides, st.data())
def test_o1turn_is_xy_or_yx_and_stays_so(width, height, data):
    mesh = Mesh(width, height)
    source, target = ends(data, mesh)
    expected = {
        tuple(Channel(c.link, vc) for c in route(mesh, name, source, target))
        for vc, name in enumerate(("xy", "yx"))
    }
    assert set(walks(mesh, routing_function("o1turn", mesh), source, target)) == expected


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(2, 4), st.data())
def test_escape_channels_are_offered_everywhere(width, height, lanes, data):
    mesh = Mesh(width, height)
    source, target = ends(data, mesh)
    duato, free = AdaptiveEscape(lanes), FullyAdaptive(lanes)
    if source == target:
        return
    for held in (None, Channel(0, 0)):
        offered = duato.next_channels(mesh, source, held, target)
        assert len(set(offered)) == len(offered)
        xy = route(mesh, "xy", source, target)[0].link
        assert {c for c in offered if c.vc == 0} == {Channel(xy, 0)}
        everything = free.next_channels(mesh, source, held, target)
        assert {c for c in offered if c.vc} == {c for c in everything if c.vc}
    out = np.zeros(8 * lanes, dtype=np.int64)
    assert duato.escape(grid_of(mesh, duato), source, -1, target, out) == 1
    assert out[0] == xy * lanes


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.data())
def test_datelines_keep_the_links_and_change_once_at_the_border(width, height, data):
    mesh = Mesh(width, height, torus=True)
    source, target = ends(data, mesh)
    path = route(mesh, "torus_datelines", source, target)
    plain = route(mesh, "torus_dimension_order", source, target)
    assert [c.link for c in path] == [c.link for c in plain]
    for axis in ("EW", "NS"):
        ring = [c for c in path if mesh.link_direction(c.link) in axis]
        crossings = []
        for channel in ring:
            start = mesh.coordinates(mesh.link_source(channel.link))
            end = mesh.coordinates(mesh.link_target(channel.link))
            step = {"E": (1, 0), "W": (-1, 0), "S": (0, 1), "N": (0, -1)}
            dx, dy = step[mesh.link_direction(channel.link)]
            crossings.append((start[0] + dx, start[1] + dy) != end)
        for k, channel in enumerate(ring):
            assert channel.vc == (0 if any(crossings[k:]) else 1)


@st.composite
def faulty_meshes(draw):
    """Meshes and tori with broken routers, cores and links, both ways or one."""
    width, height = draw(st.integers(1, 5)), draw(st.integers(2, 5))
    whole = Mesh(width, height, draw(st.booleans()))
    links = draw(st.lists(st.sampled_from(whole.links), max_size=5, unique=True))
    cores = st.lists(st.integers(0, whole.n_cores - 1), max_size=2, unique=True)
    return Mesh(
        width,
        height,
        whole.torus,
        faulty_links=tuple(sorted(links)),
        faulty_routers=tuple(sorted(draw(cores))),
        faulty_cores=tuple(sorted(draw(cores))),
    )


def two_way_parts(mesh):
    """Sets of routers that links working both ways join."""
    part = {core: {core} for core in range(mesh.n_cores)}
    pairs = {(mesh.link_source(k), mesh.link_target(k)) for k in mesh.links}
    ways = {(mesh.link_source(k), mesh.link_target(k), k % 4) for k in mesh.links}
    for a, b in pairs:
        both = any((b, a, (d + 2) % 4) in ways for i, j, d in ways if (i, j) == (a, b))
        if both and part[a] is not part[b]:
            part[a] |= part[b]
            for core in part[b]:
                part[core] = part[a]
    return part


@settings(max_examples=30, deadline=None)
@given(faulty_meshes())
def test_up_down_reaches_every_usable_core_or_says_which_it_cannot(mesh):
    part = two_way_parts(mesh)
    usable = [int(core) for core in mesh.usable_cores]
    if not usable:
        with pytest.raises(MappingError, match="no core can be used"):
            grid_of(mesh, routing_function("up_down", mesh))
        return
    if any(part[core] is not part[usable[0]] for core in usable):
        with pytest.raises(MappingError, match=r"'up_down' on the .*: no way between"):
            grid_of(mesh, routing_function("up_down", mesh))
        return
    for source in usable:
        for target in usable:
            path = route(mesh, "up_down", source, target)
            assert len(path) >= mesh.distances[source, target]
            assert all(mesh.has_link(channel.link) for channel in path)


def test_up_down_is_shortest_on_a_whole_tree():
    mesh = Mesh(7, 1)
    for source in range(7):
        for target in range(7):
            assert len(route(mesh, "up_down", source, target)) == abs(source - target)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.sets(st.sampled_from(TURNS)), st.data())
def test_turn_sets_against_all_shortest_paths(width, height, turns, data):
    mesh = Mesh(width, height)
    source, target = ends(data, mesh)
    function = TurnSet(turns, partial=True)
    expected = shortest_paths(mesh, source, target, lambda turn, x: turn in turns)
    connected = function.connected(mesh)
    if source == target:
        return
    assert connected[source, target] == bool(expected)
    if expected:
        assert links_of(walks(mesh, function, source, target)) == expected
    assert ((source, target) in set(function.pairs(mesh))) == bool(expected)
    if connected.sum() != mesh.n_cores * (mesh.n_cores - 1):
        with pytest.raises(MappingError, match=r"has no route from .* allow more turns"):
            grid_of(mesh, TurnSet(turns))


def test_longer_ways_under_forbidden_turns():
    # Nothing turns to the east: one column east and one row south takes the long way round.
    mesh = Mesh(3, 3)
    source, target = mesh.core(0, 1), mesh.core(1, 2)
    turns = "E2N+N2W+W2S"
    assert not TurnSet(turns, partial=True).connected(mesh)[source, target]
    path = route(mesh, TurnSet(turns, minimal=False, partial=True), source, target)
    assert "".join(mesh.link_direction(c.link) for c in path) == "EENWSS"


def test_a_table_of_the_users(tmp_path):
    mesh = Mesh(3, 2)
    xy = routing_function("xy", mesh)
    n = mesh.n_cores
    table = np.full((n, n), -1)
    lines = ["router,target,direction"]
    for router in range(n):
        for target in range(n):
            if router != target:
                table[router, target] = xy.next_channels(mesh, router, None, target)[0].link
                lines.append(f"{router},{target},{'NESW'[table[router, target] % 4]}")
    path = tmp_path / "routes.csv"
    path.write_text("\n".join(lines) + "\n")
    table[0, 5] = -1
    mine, read = TableDriven(table), routing_function(f"table_driven:{path}", mesh)
    assert (0, 5) not in set(mine.pairs(mesh))
    assert (0, 5) in set(read.pairs(mesh))
    for source, target in mine.pairs(mesh):
        if mesh.coordinates(source)[1] or target != 5:
            assert route(mesh, mine, source, target) == route(mesh, xy, source, target)
            assert route(mesh, read, source, target) == route(mesh, xy, source, target)
    with pytest.raises(MappingError, match=r"table_driven.* offers no channel towards \(2, 1\)"):
        route(mesh, mine, 0, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("router,target\n0,1\n", "line 2: expected the columns router, target, direction"),
        ("router,target,direction\n0,9,E\n", "line 2: router 0, target 9"),
        ("router,target,direction\n0,1,X\n", "direction 'X'"),
        ("router,target,direction\n0,1,E\n0,1,E\n", "line 3: direction E is given twice"),
    ],
)
def test_bad_tables_in_files_are_refused(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        TableDriven.read_csv(path, Mesh(2, 2))


def test_bad_arguments_are_refused(tmp_path):
    with pytest.raises(MappingError, match=r"unknown turn 'N2S'; the turns are E2N, E2S"):
        TurnSet(["N2S"])
    with pytest.raises(MappingError, match=r"virtual_channels = 1; .* >= 2"):
        AdaptiveEscape(1)
    with pytest.raises(MappingError, match=r"virtual_channels = 0; .* >= 1"):
        FullyAdaptive(0)
    with pytest.raises(MappingError, match=r"shape \(3,\); expected"):
        TableDriven([1, 2, 3])
    with pytest.raises(MappingError, match=r"float64; expected integers"):
        TableDriven(np.zeros((2, 2)))
    with pytest.raises(MappingError, match=r"5 choices; a router has 4"):
        TableDriven(np.zeros((2, 2, 5), dtype=int))
    with pytest.raises(MappingError, match=r"a table for 2 cores; the 2x2 mesh has 4"):
        routing_function(TableDriven(np.full((2, 2), -1)), Mesh(2, 2))
    with pytest.raises(MappingError, match=r"channel 0 at \(0, 0\) for \(0, 0\) is on no link"):
        routing_function(TableDriven(np.zeros((4, 4), dtype=int)), Mesh(2, 2))
    with pytest.raises(DataError, match=r"cannot read the routing table"):
        TableDriven.read_csv(tmp_path / "none.csv", Mesh(2, 2))


def suitable(name, faults=()):
    return Mesh(4, 3, torus=name.startswith("torus"), faulty_links=faults)


@pytest.mark.parametrize("name", routing_names())
def test_every_named_function_compiled_equals_plain_and_arrives(name):
    """At every state that a packet can meet; hops never lead away but by up*/down*."""
    mesh = suitable(name)
    function = routing_function(name, mesh)
    grid, kernel = grid_of(mesh, function), compiled_offers(function)
    lanes = function.virtual_channels
    out = np.zeros(4 * lanes, dtype=np.int64)
    for target in range(mesh.n_cores):
        waiting = [(source, None) for source in range(mesh.n_cores) if source != target]
        met = set()
        while waiting:
            state = waiting.pop()
            if state in met or state[0] == target:
                continue
            met.add(state)
            router, held = state
            plain = function.next_channels(mesh, router, held, target)
            number = -1 if held is None else held.link * lanes + held.vc
            count = kernel(grid, router, number, target, out)
            assert [divmod(c, lanes) for c in out[:count].tolist()] == list(plain)
            assert plain
            for channel in plain:
                end = mesh.link_target(channel.link)
                if name != "up_down":
                    assert mesh.distances[end, target] == mesh.distances[router, target] - 1
                waiting.append((end, channel))


@pytest.mark.parametrize("name", sorted(set(routing_names()) - {"up_down"}))
def test_a_missing_link_is_never_offered(name):
    whole = suitable(name)
    broken = whole.link(whole.core(1, 1), "E")
    mesh = suitable(name, (broken,))
    function = routing_function(name, mesh)
    for router in range(mesh.n_cores):
        for target in range(mesh.n_cores):
            if router != target:
                offered = function.next_channels(mesh, router, None, target)
                assert broken not in {channel.link for channel in offered}
    with pytest.raises(MappingError, match=r"at \(1, 1\) offers no channel .* 'up_down'"):
        route(mesh, function, mesh.core(1, 1), mesh.core(2, 1))


def test_routes_never_reverse():
    mesh = Mesh(4, 4)
    for name in ("up_down", "west_first"):
        function = routing_function(name, mesh)
        for source, target in function.pairs(mesh):
            for path in walks(mesh, function, source, target):
                for a, b in pairwise(path):
                    assert (a.link - b.link) % 4 != 2 or mesh.link_target(b.link) != a.link // 4
