"""The spikes of a run as a picture, at any size: ticks while they can be told apart, or a density.

Time runs to the right and populations are stacked, each with its neurons from the bottom up; the
rate of every population is drawn beneath. Spikes are read in pieces, so memory does not grow with
their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.atomic import write_atomically
from experiments.run_directory import NETWORK, RunDirectory
from experiments.spike_file import SpikeFileReader
from simulator.errors import DataError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_raster", "parse_window", "raster"]

TICKED_SPIKES = 20_000
FEWEST_TIME_BINS, MOST_TIME_BINS = 100, 800
SPIKES_PER_BIN = 3
RATE_BINS = 200
NEURON_BINS = 300
SECONDS_FROM_MS = 10_000.0
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

Window = tuple[float | None, float | None]


@dataclass(frozen=True)
class _Panel:
    """One population inside the window."""

    name: str
    size: int
    rows: tuple[int, int]
    colour: str

    @property
    def n_spikes(self) -> int:
        return self.rows[1] - self.rows[0]

    @property
    def ticked(self) -> bool:
        return self.n_spikes <= TICKED_SPIKES


def parse_window(text: str) -> Window:
    """Read "a:b" in ms; either end may be left out.

    Raises
    ------
    DataError
        If it is not two numbers with a < b.
    """
    start_text, separator, stop_text = text.partition(":")
    try:
        start = float(start_text) if start_text.strip() else None
        stop = float(stop_text) if stop_text.strip() else None
    except ValueError:
        separator = ""
    if not separator:
        raise DataError(f"window '{text}': expected start:stop in ms, as in 0:200")
    return start, stop


def raster(
    run: str | Path | RunDirectory,
    *,
    window: Window = (None, None),
    populations: Sequence[str] = (),
    out: str | Path | None = None,
) -> tuple[Path, str]:
    """Draw the spikes of a run to a PNG; what `spikemesh raster` does.

    Parameters
    ----------
    run
        A run directory with `spikes.h5`.
    window
        Start and stop in ms; None is the beginning or end of the run.
    populations
        Which to show, from the top; all if empty.
    out
        The file; default `raster.png` (or `raster-<start>-<stop>.png`) in the run directory.

    Returns
    -------
    path : pathlib.Path
    remark : str
        What is shown, in a sentence.

    Raises
    ------
    DataError
        If there are no spikes to show, or a population is unknown, or the window is empty.
    """
    directory = run if isinstance(run, RunDirectory) else RunDirectory.open(run)
    figure, remark = draw_raster(directory, window=window, populations=populations)
    if out is not None:
        path = Path(out)
        write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=150))
        return path, remark
    name = "raster"
    if window != (None, None):
        start, stop = (f"{end:g}" if end is not None else "" for end in window)
        name = f"raster-{start or '0'}-{stop or 'end'}"
    return directory.write_figure(name, figure), remark


def draw_raster(
    directory: RunDirectory,
    *,
    window: Window = (None, None),
    populations: Sequence[str] = (),
) -> tuple[Figure, str]:
    """The figure of `raster` and what it shows in a sentence."""
    from matplotlib.figure import Figure

    with directory.spikes() as spikes:
        start, stop = _window(directory, spikes, window)
        panels = _panels(directory, spikes, start, stop, populations)
        total = sum(panel.n_spikes for panel in panels)
        if not total:
            raise DataError(
                f"'{spikes.path}' has no spikes from {start:g} to {stop:g} ms; "
                f"its last one is at {spikes.last_time_ms():g} ms"
            )
        heights = [_height(panel.size) for panel in panels]
        figure = Figure(figsize=(10, sum(heights) + 2.4), layout="constrained")
        axes = figure.subplots(
            len(panels) + 1, 1, sharex=True, squeeze=False, height_ratios=[*heights, 1.4]
        )[:, 0]
        unit, scale = ("s", 1e-3) if stop - start > SECONDS_FROM_MS else ("ms", 1.0)
        for axis, panel in zip(axes, panels, strict=False):
            _draw_panel(axis, spikes, panel, (start, stop), scale)
        _draw_rates(axes[-1], spikes, panels, (start, stop), scale)
        axes[-1].set_xlabel(f"time ({unit})")
        axes[-1].set_xlim(start * scale, stop * scale)
        figure.align_ylabels(list(axes))
        remark = f"{total:,} spikes from {start * scale:g} to {stop * scale:g} {unit}"
        dense = [panel.name for panel in panels if not panel.ticked]
        if dense:
            remark += f", {' and '.join(dense)} as a density"
        record = directory.record
        axes[0].set_title(f"{record['experiment']}, seed {record['seed']}: {remark}", fontsize=10)
    if dense:
        remark += f"; a --window with at most {TICKED_SPIKES:,} spikes shows each of them"
    return figure, remark


def _window(
    directory: RunDirectory, spikes: SpikeFileReader, window: Window
) -> tuple[float, float]:
    """Start and stop in ms."""
    start = 0.0 if window[0] is None else window[0]
    stop = window[1]
    if stop is None:
        # One step of the number beyond the last spike, so that it lies inside.
        last = np.nextafter(spikes.last_time_ms(), np.inf)
        stop = max(float(last), directory.simulated_ms or 0.0)
    if not (math.isfinite(start) and math.isfinite(stop) and start < stop):
        raise DataError(f"window from {start:g} to {stop:g} ms; it must have start < stop, finite")
    return start, stop


def _panels(
    directory: RunDirectory,
    spikes: SpikeFileReader,
    start: float,
    stop: float,
    populations: Sequence[str],
) -> list[_Panel]:
    has_network = (directory.path / NETWORK).exists()
    sizes = directory.network().populations if has_network else {}
    panels = []
    for k, name in enumerate(populations or spikes.populations):
        rows = spikes.between(name, start, stop)
        size = sizes.get(name, 0)
        if not size:
            highest = (int(nodes.max()) for _, nodes in spikes.chunks(name))
            size = 1 + max(highest, default=0)
        panels.append(_Panel(name, size, rows, COLOURS[k % len(COLOURS)]))
    return panels


def _height(size: int) -> float:
    """Inches for a population: room for each neuron of a small one, and for a label."""
    return min(3.4, max(0.9, 0.3 + 0.16 * math.sqrt(size) + 0.01 * size))


def _draw_panel(
    axes: Axes,
    spikes: SpikeFileReader,
    panel: _Panel,
    window: tuple[float, float],
    scale: float,
) -> None:
    from matplotlib.ticker import MaxNLocator

    if panel.ticked:
        times, nodes = spikes.read(panel.name, *panel.rows)
        # A tick must stay visible where a neuron has less than a pixel.
        half = max(0.42, panel.size / (_height(panel.size) * 72))
        axes.vlines(times * scale, nodes - half, nodes + half, colors=panel.colour, lw=1.1)
    else:
        _draw_density(axes, spikes, panel, window, scale)
    axes.set_ylim(-0.5, panel.size - 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.set_ylabel(f"{panel.name}\nneuron", fontsize=9, color=panel.colour)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(axis="x", length=0, labelbottom=False)


def _draw_density(
    axes: Axes,
    spikes: SpikeFileReader,
    panel: _Panel,
    window: tuple[float, float],
    scale: float,
) -> None:
    start, stop = window
    # As many neurons in each bin, so that the colours mean the same in every row.
    per_bin = -(-panel.size // NEURON_BINS)
    n_rows = -(-panel.size // per_bin)
    n_bins = panel.n_spikes // (n_rows * SPIKES_PER_BIN)
    n_bins = min(max(n_bins, FEWEST_TIME_BINS), MOST_TIME_BINS)
    counts = np.zeros(n_rows * n_bins, dtype=np.int64)
    for times, nodes in spikes.chunks(panel.name, *panel.rows):
        column = _bins(times, window, n_bins)
        counts += np.bincount(nodes // per_bin * n_bins + column, minlength=counts.size)
    neurons = np.full(n_rows, per_bin)
    neurons[-1] = panel.size - per_bin * (n_rows - 1)
    seconds = (stop - start) / n_bins / 1e3
    rate = counts.reshape(n_rows, n_bins) / neurons[:, None] / seconds
    # A few bins far above the rest must not hide the rest.
    highest, shown = float(rate.max()), float(np.quantile(rate, 0.999))
    shown = highest if highest < 2 * shown else max(shown, highest / 4)
    edges = np.minimum(np.arange(n_rows + 1) * per_bin, panel.size) - 0.5
    image = axes.pcolormesh(
        np.linspace(start, stop, n_bins + 1) * scale,
        edges,
        np.ma.masked_equal(rate, 0.0),
        cmap="viridis_r",
        vmin=0.0,
        vmax=shown,
        rasterized=True,
    )
    figure: Any = axes.figure
    extend = "max" if highest > shown else "neither"
    figure.colorbar(image, ax=axes, label="rate (Hz)", pad=0.01, fraction=0.03, extend=extend)


def _draw_rates(
    axes: Axes,
    spikes: SpikeFileReader,
    panels: Sequence[_Panel],
    window: tuple[float, float],
    scale: float,
) -> None:
    """Mean rate per neuron of each population, in Hz."""
    start, stop = window
    edges = np.linspace(start, stop, RATE_BINS + 1)
    seconds = (stop - start) / RATE_BINS / 1e3
    for panel in panels:
        counts = np.zeros(RATE_BINS, dtype=np.int64)
        for times, _ in spikes.chunks(panel.name, *panel.rows):
            counts += np.bincount(_bins(times, window, RATE_BINS), minlength=RATE_BINS)
        rate = counts / panel.size / seconds
        axes.stairs(rate, edges * scale, baseline=None, color=panel.colour, lw=1.1)
    axes.margins(y=0.1)
    axes.autoscale(axis="y")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("mean rate (Hz)", fontsize=9)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _bins(
    times: npt.NDArray[np.float64], window: tuple[float, float], n: int
) -> npt.NDArray[np.int64]:
    """Number of the bin of each time; a product may round up to n, which is the last bin's."""
    start, stop = window
    return np.minimum(((times - start) * (n / (stop - start))).astype(np.int64), n - 1)
