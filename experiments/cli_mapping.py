"""The commands that put the network of a run on machines: `place` and `whatif`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from experiments.machines import MachineOptions
from experiments.recorded import PacketOptions
from simulator.errors import MappingError

__all__ = ["place", "whatif"]

Run = Annotated[Path, typer.Argument(help="Run directory, as made by 'spikemesh run'.")]
TREES = "dual_path, neighbour_exploring, xy_tree"
PRESETS = "loihi, spinnaker2, tianjicx, truenorth"


def _show_presets(asked: bool) -> None:
    """Say what is known of every machine and where it was published, and end the command."""
    if not asked:
        return
    from experiments.reporting import TerminalReporter
    from mapping import preset_names, preset_rows

    for name in preset_names():
        TerminalReporter().table(name, ("figure", "value", "source"), preset_rows(name))
    raise typer.Exit


Torus = Annotated[bool, typer.Option("--torus", help="Rows and columns close up.")]
Chips = Annotated[
    str, typer.Option(metavar="WxH", help="Chips across x down: a size is cut, a preset repeated.")
]
BoardLinkCycles = Annotated[
    int, typer.Option(metavar="N", help="Cycles per flit of links from chip to chip.")
]
FaultyCores = Annotated[
    str, typer.Option(metavar="A,B", help="Cores that hold nothing, row by row from 0.")
]
FaultyRouters = Annotated[str, typer.Option(metavar="A,B", help="Tiles without any link.")]
FaultyLinks = Annotated[
    str,
    typer.Option(metavar="A-B,C>D", help="Links that fail, both ways or one, between neighbours."),
]
NeuronsPerCore = Annotated[
    int | None,
    typer.Option(help="The most neurons a core takes.", show_default="1024, spread over all cores"),
]
FanInPerCore = Annotated[
    int | None, typer.Option(help="The most source neurons a core takes.", show_default="4096")
]
SynapsesPerCore = Annotated[
    int | None, typer.Option(help="The most synapses a core takes.", show_default="131072")
]
ListPresets = Annotated[
    bool,
    typer.Option(
        "--list-presets",
        callback=_show_presets,
        is_eager=True,
        help="Tell the figures of the presets and their sources.",
    ),
]
Objective = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What placements make small: packet_hops, max_link_load, energy, or weights of them "
        "as packet_hops=1,energy=0.5.",
    ),
]
Pin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="POPULATION=CORES",
        help="Cores that alone may hold a population, as hidden=0,4-7; once for each population.",
    ),
]
CyclesPerMs = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        help="Send recorded spikes through the packet network, flit by flit, at so many cycles in "
        "a ms of the network: latencies, and how much more it could carry.",
        show_default="not sent",
    ),
]
SentWindow = Annotated[
    str,
    typer.Option(metavar="A:B", help="ms of the run that are sent.", show_default="the last 1000"),
]
Flits = Annotated[int, typer.Option(help="Length of a packet.")]
Lanes = Annotated[int, typer.Option(help="Buffers for each virtual channel of the routing.")]
Seed = Annotated[int, typer.Option(help="Seed of the partition and the placement.")]


def place(
    run: Run,
    mesh: Annotated[
        str | None, typer.Option(metavar="WxH", help="Columns x rows of cores, such as 8x8.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"A machine that exists: {PRESETS}.")
    ] = None,
    torus: Torus = False,
    chips: Chips = "1x1",
    board_link_cycles: BoardLinkCycles = 1,
    faulty_cores: FaultyCores = "",
    faulty_routers: FaultyRouters = "",
    faulty_links: FaultyLinks = "",
    partition: Annotated[
        str, typer.Option(help="How neurons are dealt out to cores.")
    ] = "sequential",
    placement: Annotated[str, typer.Option(help="How cores get their places.")] = "auto",
    routing: Annotated[str, typer.Option(help="How packets find their way.")] = "xy",
    multicast: Annotated[
        str,
        typer.Option(
            metavar="TREES",
            help=f"Trees along which packets branch: {TREES}; none: a packet for each target.",
        ),
    ] = "none",
    cycles_per_ms: CyclesPerMs = None,
    window: SentWindow = "",
    flits: Flits = 1,
    lanes: Lanes = 1,
    objective: Objective = "packet_hops",
    neurons_per_core: NeuronsPerCore = None,
    fan_in_per_core: FanInPerCore = None,
    synapses_per_core: SynapsesPerCore = None,
    pin: Pin = None,
    seed: Seed = 0,
    list_presets: ListPresets = False,
) -> None:
    """Partition, place and route the network of a run, check it for deadlock, draw it."""
    from experiments.place import place_run
    from experiments.reporting import TerminalReporter

    if (mesh is None) == (preset is None):
        raise MappingError("give one of --mesh WxH and --preset NAME")
    name = mesh or preset or ""
    report, files = place_run(
        run,
        name,
        partition=partition,
        placement=placement,
        routing=routing,
        seed=seed,
        objective=objective,
        pins=pin or (),
        multicast=None if multicast == "none" else multicast,
        packets=PacketOptions(cycles_per_ms, window, flits, lanes),
        machines=MachineOptions(
            torus=torus,
            chips=chips,
            board_link_cycles=board_link_cycles,
            faulty_cores=faulty_cores,
            faulty_routers=faulty_routers,
            faulty_links=faulty_links,
            neurons_per_core=neurons_per_core,
            fan_in_per_core=fan_in_per_core,
            synapses_per_core=synapses_per_core,
        ),
    )
    TerminalReporter().table(f"{run} on {name}", ("what", "value"), report.summary_rows())
    _say_written(files)


def whatif(
    run: Run,
    mesh: Annotated[
        str,
        typer.Option(metavar="WxH,...", help=f"Machines: sizes, and names of presets ({PRESETS})."),
    ],
    partition: Annotated[
        str, typer.Option(metavar="A,B", help="How neurons are dealt out; 'all' for all ways.")
    ] = "sequential",
    placement: Annotated[
        str, typer.Option(metavar="A,B", help="How cores get their places; 'all' for all ways.")
    ] = "sequential,auto",
    routing: Annotated[
        str, typer.Option(metavar="A,B", help="How packets find their way; 'all' for all ways.")
    ] = "xy",
    rank_by: Annotated[
        str,
        typer.Option(
            metavar="FIGURE",
            help="cost, maximum_link_load, energy, multicast_cost, average_hops or latency.",
        ),
    ] = "cost",
    torus: Torus = False,
    chips: Chips = "1x1",
    board_link_cycles: BoardLinkCycles = 1,
    faulty_cores: FaultyCores = "",
    faulty_routers: FaultyRouters = "",
    faulty_links: FaultyLinks = "",
    multicast: Annotated[
        str,
        typer.Option(
            metavar="A,B",
            help=f"Trees along which packets branch, as further ways: {TREES}; 'all' for all.",
            show_default="none",
        ),
    ] = "",
    cycles_per_ms: CyclesPerMs = None,
    window: SentWindow = "",
    flits: Flits = 1,
    lanes: Lanes = 1,
    objective: Objective = "packet_hops",
    neurons_per_core: NeuronsPerCore = None,
    fan_in_per_core: FanInPerCore = None,
    synapses_per_core: SynapsesPerCore = None,
    pin: Pin = None,
    seed: Seed = 0,
    again: Annotated[
        bool, typer.Option("--again", help="Work out rows that are known once more.")
    ] = False,
    list_presets: ListPresets = False,
) -> None:
    """All combinations of machine, placement and routing, ranked; goes on where it stopped."""
    from experiments.reporting import TerminalReporter
    from experiments.whatif import table_rows, what_if_run

    reporter = TerminalReporter()
    rows, files = what_if_run(
        run,
        _names(mesh),
        partitions=_names(partition),
        placements=_names(placement),
        routings=_names(routing),
        seed=seed,
        objective=objective,
        rank_by=rank_by,
        again=again,
        pins=pin or (),
        multicasts=[] if multicast == "none" else _names(multicast),
        packets=PacketOptions(cycles_per_ms, window, flits, lanes),
        machines=MachineOptions(
            torus=torus,
            chips=chips,
            board_link_cycles=board_link_cycles,
            faulty_cores=faulty_cores,
            faulty_routers=faulty_routers,
            faulty_links=faulty_links,
            neurons_per_core=neurons_per_core,
            fan_in_per_core=fan_in_per_core,
            synapses_per_core=synapses_per_core,
        ),
        reporter=reporter,
    )
    reporter.table(f"What if: {run}, by {rank_by.replace('_', ' ')}", *table_rows(rows))
    _say_written(files)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say_written(files: Iterable[Path]) -> None:
    for path in files:
        typer.echo(f"wrote {path}")
