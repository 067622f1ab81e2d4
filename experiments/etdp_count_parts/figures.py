"""The pictures of `etdp-count`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from experiments.etdp_count import Config, Task

__all__ = ["COLOURS", "draw_course", "draw_sweep"]

COLOURS = {"etdp": "#0072B2", "mst": "#D55E00", "tdp": "#009E73", "etdp-free": "#CC79A7"}
INK, GREY = "#0072B2", "#9a9a9a"


def draw_course(config: Config, task: Task, v: Mapping[str, Any], counts: Any) -> Figure:
    """As figures 2 and 3 of the source, with the afferents of the first neuron above."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8.5, 9.0), layout="constrained")
    raster, first, last, course = figure.subplots(4, 1, height_ratios=(1.0, 1.0, 1.0, 1.2))
    mine = task.afferents < config.n_afferents
    raster.plot(
        task.times[mine], task.afferents[mine], ".", ms=1.5, color="#555555", rasterized=True
    )
    raster.set_ylabel("afferent")
    raster.set_title(f"{config.n_afferents} afferents, {config.rate:g} Hz", fontsize=10)
    for axis, name, text in ((first, "before", "before learning"), (last, "after", "after it")):
        axis.plot(v["times_ms"], v[name], lw=0.9, color=INK)
        axis.axhline(1.0, ls="--", lw=0.8, color="#D55E00")
        spikes = v[f"spikes_{name}"]
        axis.vlines(spikes, 1.05, 1.45, lw=1.0, color="black")
        plural = "spike" if spikes.size == 1 else "spikes"
        axis.set_title(f"{text}: {spikes.size} {plural}", fontsize=10)
        axis.set_ylabel("potential (threshold)")
        axis.set_ylim(min(-0.25, float(v[name].min()) - 0.1), 1.55)
    last.set_xlabel("time (ms)")
    for axis in (raster, first, last):
        axis.set_xlim(0.0, config.duration)
    epochs = np.arange(counts.shape[0])
    course.plot(epochs, counts[:, 1:], lw=0.7, color=GREY, alpha=0.6)
    course.plot(epochs, counts[:, 0], lw=1.6, color=INK, label="the neuron above")
    if counts.shape[1] > 1:
        course.plot([], [], lw=0.7, color=GREY, label=f"{counts.shape[1] - 1} others")
    course.axhline(config.desired, ls="--", lw=0.8, color="#D55E00", label="desired")
    course.set_xlim(0, max(1, int(epochs[-1])))
    course.set_ylim(bottom=0)
    course.yaxis.set_major_locator(MaxNLocator(integer=True))
    course.set_xlabel("learning epoch")
    course.set_ylabel("output spikes")
    course.legend(frameon=False, fontsize=9)
    for axis in (raster, first, last, course):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def draw_sweep(
    sweeps: Mapping[float, Mapping[str, Sequence[tuple[float, Any, int, int]]]],
) -> Figure:
    """Epochs to success against the step, by rate and mode: (step, epochs, learned, neurons)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(sweeps), sharey=True))
    for axis, (rate, modes) in zip(axes, sweeps.items(), strict=True):
        for mode, points in modes.items():
            found = [p for p in points if len(p[1])]
            steps = [p[0] for p in found]
            middle = [float(np.median(p[1])) for p in found]
            low, high = (
                [float(np.percentile(p[1], q)) for p in found] for q in (10, 90)
            )  # most of the neurons
            axis.fill_between(steps, low, high, color=COLOURS[mode], alpha=0.15, lw=0)
            axis.plot(steps, middle, "-", color=COLOURS[mode], label=mode)
            for step, value, p in zip(steps, middle, found, strict=True):
                face = COLOURS[mode] if p[2] == p[3] else "white"
                axis.plot(step, value, "o", ms=5, mfc=face, mec=COLOURS[mode])
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.set_title(f"afferents of {rate:g} Hz", fontsize=10)
        axis.set_xlabel("step (threshold)")
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("epochs to 10 spikes")
    axes[0].legend(frameon=False, fontsize=9)
    return figure
