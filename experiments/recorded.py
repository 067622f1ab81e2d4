"""A window of the spikes of a run, to be sent through the packet network of a machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from experiments.raster import parse_window
from experiments.run_directory import RunDirectory
from experiments.settings import require
from simulator.errors import DataError

if TYPE_CHECKING:
    from mapping import SpikingGraph
    from mapping.network import RecordedSpikes

__all__ = ["PacketOptions", "recorded_spikes"]

LAST_MS = 1000.0  # of a run are sent if no window is given


@dataclass(frozen=True)
class PacketOptions:
    """The packet network that recorded spikes are sent through.

    Attributes
    ----------
    cycles_per_ms : float, optional
        Of the machine, in a ms of the network; None: nothing is sent.
    window : str
        "0:1000": of the spikes, in ms; either end may be left out. Empty: the last 1,000 ms.
    flits : int
        Length of a packet.
    lanes : int
        Buffers for each virtual channel of the routing function.
    """

    cycles_per_ms: float | None = None
    window: str = ""
    flits: int = 1
    lanes: int = 1

    def __post_init__(self) -> None:
        if self.cycles_per_ms is not None:
            right = np.isfinite(self.cycles_per_ms) and self.cycles_per_ms > 0
            require(bool(right), "cycles_per_ms", self.cycles_per_ms, "a finite number > 0")
        for name in ("flits", "lanes"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")


def recorded_spikes(
    directory: RunDirectory, graph: SpikingGraph, options: PacketOptions
) -> RecordedSpikes | None:
    """The spikes of all neurons of a graph within the window; None if none are to be sent.

    Raises
    ------
    DataError
        The window is none, or empty.
    """
    from mapping.network import RecordedSpikes

    if options.cycles_per_ms is None:
        return None
    start, stop = _window(options.window, graph.duration_ms)
    times, neurons = [np.empty(0)], [np.empty(0, np.int64)]
    with directory.spikes() as spikes:
        for name, offset in zip(graph.names, graph.offsets.tolist(), strict=False):
            if name in spikes.populations:
                rows = spikes.between(name, start, stop)
                when, who = spikes.read(name, *rows)
                times.append(when - start)
                neurons.append(offset + who)
    return RecordedSpikes(
        np.concatenate(neurons),
        np.concatenate(times),
        options.cycles_per_ms,
        options.flits,
        options.lanes,
    )


def _window(text: str, duration_ms: float) -> tuple[float, float]:
    start, stop = parse_window(text) if text else (max(0.0, duration_ms - LAST_MS), None)
    start = 0.0 if start is None else start
    # A spike at the very end belongs to the run.
    stop = float(np.nextafter(duration_ms, np.inf)) if stop is None else stop
    if not (np.isfinite(start) and np.isfinite(stop) and 0.0 <= start < stop):
        raise DataError(
            f"window from {start:g} to {stop:g} ms; it must have 0 <= start < stop, finite"
        )
    return start, stop
