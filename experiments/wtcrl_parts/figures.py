"""Pictures of a run: code vectors, learning curves, reconstructions, spikes of presentations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.wtcrl_parts.measures import SILENT, Responses, responses
from experiments.wtcrl_parts.network import CODE, Model
from experiments.wtcrl_parts.patches import Patches
from experiments.wtcrl_parts.presentation import Presented, Reconstruction
from experiments.wtcrl_parts.training import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "draw_code_vectors",
    "draw_learning_curve",
    "draw_presentations",
    "draw_reconstruction",
]

Floats = npt.NDArray[np.float64]

BLUE, RED, GREEN, ORANGE, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#777777"
SHOWN_IMAGES = 10
SHOWN_PRESENTATIONS = 6
MOVING_AVERAGE = 500  # presentations


def draw_code_vectors(curve: Curve, patches: Patches) -> Figure:
    """The decoded code vectors after every checkpoint, one mosaic each."""
    from matplotlib.figure import Figure

    n = len(curve.patches)
    columns = min(n, math.ceil(math.sqrt(n)) if n > 4 else n)
    rows = -(-n // columns)
    height, width = _mosaic(curve.code_vectors[0], patches.side).shape
    tall = 3.0 * height / width
    figure = Figure(figsize=(3.3 * columns + 1.0, (tall + 0.45) * rows + 0.4))
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.08)
    axes = figure.subplots(rows, columns, squeeze=False)
    image = None
    for k, axis in enumerate(axes.flat):
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
        if k < n:
            image = axis.imshow(
                _mosaic(curve.code_vectors[k], patches.side),
                cmap="RdBu_r",
                vmin=patches.low,
                vmax=patches.high,
                interpolation="nearest",
            )
            done = curve.patches[k]
            axis.set_title("before training" if done == 0 else f"{done:,} patches", fontsize=10)
    if image is not None:
        figure.colorbar(image, ax=axes, label="grey value (1)", shrink=0.6, aspect=30, pad=0.02)
    m = len(curve.code_vectors[0])
    figure.suptitle(f"Code vectors of {m} neurons in the course of training", fontsize=11)
    return figure


def draw_learning_curve(curve: Curve, during: Responses, model: Model) -> Figure:
    """The measures at the checkpoints, and the winners of every presentation in between."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.4), layout="constrained")
    (error, coherence), (sparsity, winners) = figure.subplots(2, 2, sharex=True)
    x = np.array(curve.patches, dtype=float)

    def line(axis: Axes, name: str, colour: str, label: str, style: str = "-") -> None:
        y = [math.nan if value is None else value for value in curve.column(name)]
        axis.plot(x, y, style, color=colour, marker="o", ms=3.5, lw=1.4, label=label)

    line(error, "rms", BLUE, "elected vector; silent patch = 1")
    line(error, "rms_firing", RED, "elected vector, without silent patches", "--")
    line(error, "rms_nearest", GREY, "nearest vector", ":")
    error.set_ylabel("RMS error (grey value)")
    line(coherence, "incoherence_5", BLUE, "incoherence, nearest 5 %")
    line(coherence, "incoherence_10", RED, "incoherence, nearest 10 %", "--")
    line(coherence, "silent", GREY, "silent patches", ":")
    coherence.set_ylabel("share of patches (1)")
    line(sparsity, "sparsity", BLUE, "spikes per neuron and patch")
    sparsity.set_ylabel("sparsity (1)")
    n = len(during.spikes)
    width = min(MOVING_AVERAGE, n)
    mean = np.convolve(during.spikes, np.ones(width) / width, mode="valid")
    centre = np.arange(mean.size) + width / 2
    thin = slice(None, None, max(1, mean.size // 2000))
    winners.plot(centre[thin], mean[thin], color=BLUE, lw=1.2)
    winners.set_ylabel(f"spikes per patch (mean of {width})", color=BLUE)
    _twin_inhibition(winners, model, n)
    for axis in (error, coherence, sparsity):
        axis.set_ylim(0, 1.12 * max(float(np.nanmax(item.get_ydata())) for item in axis.lines))
        axis.legend(fontsize=8, frameon=False)
    winners.set_ylim(0, 1.12 * max(1.0, float(mean.max())))
    for axis in (error, coherence, sparsity, winners):
        axis.set_xscale("symlog", linthresh=100, linscale=0.6)
        axis.set_xlim(0, n)
        axis.grid(alpha=0.25)
        axis.spines["top"].set_visible(False)
    for axis in (sparsity, winners):
        axis.set_xlabel("training patches")
    figure.suptitle(f"Learning curve, {model.m} neurons", fontsize=11)
    return figure


def draw_reconstruction(patches: Patches, made: Reconstruction) -> Figure:
    """Original images above what the elected code vectors make of them; silent patches coloured."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    n = min(SHOWN_IMAGES, len(patches.gallery))
    height, width = patches.gallery.shape[1:]
    large = n == 1
    rows, columns = (1, 2) if large else (2, n)
    size = (7.0, 3.5 * height / width + 0.7) if large else (1.1 * n, 2.7)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).reshape(-1)
    style = _grey_style(patches)
    for k in range(n):
        axes[k].imshow(patches.gallery[k], **style)
        below = axes[n + k]
        below.imshow(made.images[k], **style)
        if made.silent[k].any():
            shade = np.ma.masked_equal(made.silent[k].astype(float), 0.0)
            below.imshow(shade, cmap=ListedColormap([ORANGE]), interpolation="nearest")
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_color("#cccccc")
    axes[0].set_title("original" if large else "", fontsize=10)
    axes[n].set_title("reconstruction" if large else "", fontsize=10)
    if not large:
        axes[0].set_ylabel("original")
        axes[n].set_ylabel("reconstruction")
    share = float(made.silent[:n].mean())
    text = f"Patches of {patches.side} x {patches.side} pixels, each shown by its winner's vector"
    figure.suptitle(text + (f"; {share:.1%} silent (orange)" if share else ""), fontsize=10)
    return figure


def draw_presentations(
    presented: Presented, model: Model, patches: Patches, vectors: Floats
) -> Figure:
    """A few presentations: patch and elected vector above the spikes of both layers."""
    from matplotlib.figure import Figure

    chosen = _most_structured(patches, len(presented.layer[0]) > 0, presented)
    period = CODE.period_ms
    # The encoder is silent before its best-matching field can fire; show what lies after that.
    first = math.floor(min(presented.encoder[0] % period)) - 0.5
    last = math.ceil(max(max(t % period, default=0.0) for t, _ in _both(presented))) + 0.5
    figure = Figure(figsize=(10.5, 6.4), layout="constrained")
    grid = figure.add_gridspec(4, len(chosen), height_ratios=[1.1, 1.1, 3.2, 1.5])
    style = _grey_style(patches)
    for column, p in enumerate(chosen):
        encoder, layer = (
            (times[inside] - p * period, neurons[inside])
            for times, neurons in (presented.encoder, presented.layer)
            for inside in [(times >= p * period) & (times < (p + 1) * period)]
        )
        winner = int(layer[1][0]) if layer[1].size else SILENT
        top, below = (figure.add_subplot(grid[row, column]) for row in (0, 1))
        shape = (patches.side, patches.side)
        top.imshow(patches.test[p].reshape(shape), **style)
        top.set_title(f"patch {p}", fontsize=9)
        if winner != SILENT:
            below.imshow(vectors[winner].reshape(shape), **style)
        for axis in (top, below):
            axis.set_xticks([])
            axis.set_yticks([])
        upper = figure.add_subplot(grid[2, column])
        upper.plot(*encoder, "|", color=BLUE, ms=2.2, mew=0.9)
        lower = figure.add_subplot(grid[3, column], sharex=upper)
        lower.plot(*layer, "|", color=RED, ms=11, mew=2)
        for t in layer[0]:
            upper.axvline(t, color=RED, lw=0.8, ls=":")
        upper.set_ylim(-2, model.n_inputs + 1)
        lower.set_ylim(-1, model.m)
        lower.set_xlim(first, last)
        upper.tick_params(labelbottom=False)
        for axis in (upper, lower):
            axis.spines[["top", "right"]].set_visible(False)
            axis.tick_params(labelleft=column == 0, labelsize=8)
        if column == 0:
            top.set_ylabel("patch", fontsize=9)
            below.set_ylabel("winner", fontsize=9)
            upper.set_ylabel("encoder neuron", fontsize=9)
            lower.set_ylabel("layer neuron", fontsize=9)
    figure.supxlabel("time after onset (ms)", fontsize=10)
    figure.suptitle(
        "Spikes of some test presentations: the first neuron to fire represents the patch",
        fontsize=11,
    )
    return figure


def _grey_style(patches: Patches) -> dict[str, Any]:
    """Digits are ink on paper, photographs are light."""
    return {
        "cmap": "gray" if patches.gallery.shape[0] == 1 else "gray_r",
        "vmin": patches.low,
        "vmax": patches.high,
        "interpolation": "nearest",
    }


def _both(presented: Presented) -> tuple[tuple[Floats, Any], ...]:
    return presented.encoder, presented.layer


def _mosaic(vectors: Floats, side: int) -> Floats:
    """Vectors as tiles of one image, a pixel apart; the rest is NaN, which is not drawn."""
    n = len(vectors)
    wide = range(math.ceil(math.sqrt(n)), 2 * math.ceil(math.sqrt(n)) + 1)
    columns = next((c for c in wide if n % c == 0), wide[0])
    rows = -(-len(vectors) // columns)
    image = np.full((rows * (side + 1) - 1, columns * (side + 1) - 1), np.nan)
    for k, vector in enumerate(vectors):
        y, x = (side + 1) * (k // columns), (side + 1) * (k % columns)
        image[y : y + side, x : x + side] = vector.reshape(side, side)
    return image


def _twin_inhibition(axes: Axes, model: Model, n: int) -> None:
    """The growing inhibition on a scale of its own."""
    x = np.unique(np.concatenate([np.linspace(0, n, 200), np.geomspace(1, n, 100)]))
    right = axes.twinx()
    right.plot(x, [-model.inhibition(p) for p in x], color=GREEN, lw=1.2, ls="--")
    right.set_ylabel("inhibition (thresholds)", color=GREEN)
    right.set_ylim(0, 95)
    right.spines["top"].set_visible(False)


def _most_structured(patches: Patches, any_spike: bool, presented: Presented) -> list[int]:
    """A few patches with something in them, in order: empty ones all look alike."""
    n = int(presented.encoder[0].max() // CODE.period_ms) + 1
    answers = responses(*presented.layer, n, CODE.period_ms)
    contrast = patches.test[:n].std(axis=1)
    if any_spike:
        contrast[answers.winner == SILENT] -= 1.0
    best = np.argsort(-contrast, kind="stable")[: 10 * SHOWN_PRESENTATIONS]
    return sorted(int(p) for p in best[:: max(1, len(best) // SHOWN_PRESENTATIONS)])[
        :SHOWN_PRESENTATIONS
    ]
