"""The picture of the experiment distal-reward."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.distal_reward_parts.measures import lags

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

BLUE, RED, GREY = "#0072B2", "#D55E00", "#777777"
MOST = 40.0  # ms, of a lag

Floats = npt.NDArray[np.float64]


def draw(course: Mapping[str, Any], others: Floats, w_max: float) -> Figure:
    """Course of the weights and rewards; weights at the end; who follows whom."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=(1.15, 1.0))
    _draw_course(figure.add_subplot(grid[0, :]), course)
    _draw_weights(figure.add_subplot(grid[1, 0]), others, float(course["rewarded"][-1]), w_max)
    _draw_lags(figure.add_subplot(grid[1, 1]), course)
    for axis in figure.axes:
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle("Dopamine, seconds late, finds the synapse that it is for", fontsize=12)
    return figure


def _draw_course(axis: Axes, course: Mapping[str, Any]) -> None:
    seconds = course["times_ms"] / 1000.0
    low, middle, high = course["quantiles"]
    axis.fill_between(seconds, low, high, color=GREY, alpha=0.3, lw=0, label="9 of 10 synapses")
    axis.plot(seconds, middle, color=GREY, lw=1.2, label="their median")
    axis.plot(seconds, course["rewarded"], color=RED, lw=1.6, label="rewarded synapse")
    rewards = course["rewards_ms"] / 1000.0
    if rewards.size:
        axis.plot(
            rewards,
            np.full(rewards.size, 1.03),
            "|",
            color=BLUE,
            ms=7,
            transform=axis.get_xaxis_transform(),
            clip_on=False,
            label="rewards",
        )
    axis.set_xlim(0.0, seconds[-1])
    axis.set_ylim(bottom=0.0)
    axis.set_xlabel("time (s)")
    axis.set_ylabel("weight (mV)")
    axis.legend(fontsize=8, frameon=False, loc="upper left")


def _draw_weights(axis: Axes, others: Floats, rewarded: float, w_max: float) -> None:
    axis.hist(others, np.linspace(0.0, w_max, 41).tolist(), color=GREY, label="others")
    axis.set_yscale("log")
    axis.axvline(rewarded, color=RED, lw=1.6, label="rewarded", clip_on=False)
    axis.set_xlim(0.0, w_max)
    axis.set_xlabel("weight at the end (mV)")
    axis.set_ylabel("synapses")
    axis.legend(fontsize=8, frameon=False)


def _draw_lags(axis: Axes, course: Mapping[str, Any]) -> None:
    """Rate of the second neuron around spikes of the first."""
    first, second = course["first_ms"], course["second_ms"]
    total = float(course["times_ms"][-1])
    edges = np.arange(-MOST, MOST + 1.0, 4.0)
    for mine, colour, label in (
        (first[first < total / 3.0], BLUE, "first third"),
        (first[first >= total * 2.0 / 3.0], RED, "last third"),
    ):
        if mine.size:
            counts = np.histogram(lags(mine, second, MOST), edges)[0]
            rate = counts / mine.size / (edges[1] - edges[0]) * 1000.0
            axis.stairs(rate, edges, color=colour, lw=1.5, label=label)
    axis.set_xlim(-MOST, MOST)
    axis.set_xlabel("time after a spike of the first neuron (ms)")
    axis.set_ylabel("rate of the second (Hz)")
    axis.legend(fontsize=8, frameon=False)
