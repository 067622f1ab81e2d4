"""Pictures of a run: receptive fields, confusion, convergence, a presentation, hidden activity."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from experiments.dastdp_parts.course import SPAN, Course
from experiments.dastdp_parts.images import Images
from experiments.dastdp_parts.network import CLASSES, HIDDEN, INPUT, OUTPUT
from experiments.dastdp_parts.paper import READOUTS, paper_figure
from experiments.dastdp_parts.presenting import PRESENTATION_MS
from experiments.dastdp_parts.showing import Shown
from experiments.dastdp_parts.testing import Answers, Trained, accuracy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "draw_confusion",
    "draw_convergence",
    "draw_presentation",
    "draw_receptive_fields",
    "draw_tsne",
]

Indices = npt.NDArray[np.int64]

COLOURS = {"simultaneous": "#0072B2", "layer_by_layer": "#D55E00", "label_statistics": "#009E73"}
GREY = "#777777"
SIDE = 28
MOST_FIELDS = 400
MOST_POINTS = 2_000
MOST_SHOWN = 6


def draw_receptive_fields(trained: Trained) -> Figure:
    """Weights into each hidden neuron, by the class that its spikes stand for."""
    from matplotlib.figure import Figure

    classes = trained.assignments["label_statistics"]
    order = np.argsort(np.where(classes < 0, CLASSES, classes), kind="stable")[:MOST_FIELDS]
    columns = math.ceil(math.sqrt(order.size))
    rows = -(-order.size // columns)
    mosaic = np.full((rows * (SIDE + 1) + 1, columns * (SIDE + 1) + 1), np.nan)
    for place, j in enumerate(order):
        y, x = (place // columns) * (SIDE + 1) + 1, (place % columns) * (SIDE + 1) + 1
        mosaic[y : y + SIDE, x : x + SIDE] = trained.weights[:, j].reshape(SIDE, SIDE)
    figure = Figure(figsize=(7.6, 6.4 * rows / columns + 0.9), layout="constrained")
    axis = figure.subplots()
    top = float(np.quantile(trained.weights, 0.999))
    image = axis.imshow(mosaic, cmap="magma", vmin=0.0, vmax=top, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.spines[:].set_visible(False)
    for place, j in enumerate(order):
        name = str(classes[j]) if classes[j] >= 0 else "–"
        axis.text(
            (place % columns) * (SIDE + 1) + 2,
            (place // columns) * (SIDE + 1) + 2,
            name,
            color="white",
            fontsize=max(3.0, 70.0 / columns),
            va="top",
            ha="left",
        )
    figure.colorbar(image, ax=axis, label="weight (1)", shrink=0.6, pad=0.02)
    n = trained.theta.size
    which = f"{n} hidden neurons" if n <= MOST_FIELDS else f"{MOST_FIELDS} of {n} hidden neurons"
    figure.suptitle(f"Receptive fields of {which}, with the class of each", fontsize=11)
    return figure


def draw_confusion(answers: Answers, labels: Indices) -> Figure:
    """How often each class was said of images of each class, by readout."""
    from matplotlib.figure import Figure

    names = [name for name in READOUTS if name in answers.said]
    figure = Figure(figsize=(4.1 * len(names) + 0.9, 4.4), layout="constrained")
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    image: Any = None
    for axis, name in zip(axes, names, strict=True):
        table = np.zeros((CLASSES, CLASSES))
        np.add.at(table, (labels, answers.said[name]), 1.0)
        share = 100.0 * table / np.maximum(table.sum(axis=1, keepdims=True), 1.0)
        image = axis.imshow(share, cmap="cividis", vmin=0.0, vmax=100.0)
        for i in range(CLASSES):
            for j in range(CLASSES):
                if share[i, j] >= 0.5:
                    colour = "black" if share[i, j] > 55.0 else "white"
                    text = f"{share[i, j]:.0f}"
                    axis.text(j, i, text, ha="center", va="center", fontsize=7, color=colour)
        axis.set_xticks(range(CLASSES))
        axis.set_yticks(range(CLASSES))
        axis.set_xlabel("class said")
        axis.set_title(f"{READOUTS[name]}: {accuracy(answers.said[name], labels):.2%}", fontsize=10)
    axes[0].set_ylabel("class of the image")
    figure.colorbar(image, ax=list(axes), label="share of the class (%)", shrink=0.8, pad=0.02)
    return figure


def draw_convergence(course: Course, data: str, n: int) -> Figure:
    """Accuracy in the course of the first pass, and how much the hidden layer spiked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.5, 3.7), layout="constrained")
    right, spikes = figure.subplots(1, 2, width_ratios=(3, 2))
    x = (np.arange(len(course.running["right"])) + 0.5) * SPAN / 1000.0
    right.plot(
        x,
        100.0 * np.array(course.running["right"]),
        color=GREY,
        lw=1.0,
        label="label statistics, next 1,000 training images",
    )
    at = [done / 1000.0 for done, _ in course.points]
    for name, colour in COLOURS.items():
        if course.points and name in course.points[0][1]:
            found = [100.0 * point[name] for _, point in course.points]
            right.plot(
                at, found, "o-", ms=3.5, lw=1.3, color=colour, label=f"{READOUTS[name]}, test"
            )
    source = paper_figure(data, n, "simultaneous")
    if source is not None:
        right.axhline(source, color=COLOURS["simultaneous"], lw=1.0, ls=":")
        right.text(0.01, source + 0.6, "source", fontsize=8, transform=right.get_yaxis_transform())
    right.set_ylabel("accuracy (%)")
    if x.size or at:
        right.legend(fontsize=8, frameon=False, loc="lower right")
    spikes.plot(x, course.running["spikes"], color=COLOURS["simultaneous"], lw=1.0)
    spikes.set_ylabel("hidden spikes per presentation (1)")
    spikes.set_ylim(0.0, 1.1 * max(course.running["spikes"], default=0.0) or 1.0)
    for axis in (right, spikes):
        axis.set_xlabel("training presentations (thousands)")
        axis.set_xlim(0, max(course.done, 1) / 1000.0)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Training of {n} hidden neurons", fontsize=11)
    return figure


def draw_presentation(shown: Shown, images: Images, said: Indices) -> Figure:
    """Spikes of the three layers while images are shown."""
    from matplotlib.figure import Figure

    n = min(MOST_SHOWN, len(shown.start_ms))
    end = float(shown.end_ms[n - 1])
    figure = Figure(figsize=(10.0, 6.6), layout="constrained")
    grid = figure.add_gridspec(4, n, height_ratios=(1.2, 2.6, 2.2, 1.6))
    for k in range(n):
        axis = figure.add_subplot(grid[0, k])
        axis.imshow(images.test[k].reshape(SIDE, SIDE), cmap="gray_r", interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.set_title(f"{images.test_labels[k]}, said: {said[k]}", fontsize=9)
    raster = None
    for line, (name, label) in enumerate(
        ((INPUT, "input (pixel)"), (HIDDEN, "hidden neuron"), (OUTPUT, "output (class)")), start=1
    ):
        axis = raster = figure.add_subplot(grid[line, :], sharex=raster)
        times, neurons = shown.spikes[name]
        seen = times < end
        size, marker = (0.5, ".") if name == INPUT else (26.0, "|")
        axis.scatter(times[seen], neurons[seen], s=size, marker=marker, color="black", lw=0.8)
        for k in range(n):
            shown_to = float(shown.end_ms[k]) - (500.0 - PRESENTATION_MS)
            axis.axvspan(float(shown.start_ms[k]), shown_to, color="#0072B2", alpha=0.08, lw=0)
        axis.set_ylabel(label)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_xlim(0.0, end)
        if name == INPUT:
            axis.set_ylim(SIDE * SIDE, 0)
        elif name == OUTPUT:
            axis.set_ylim(CLASSES - 0.4, -0.6)
            axis.set_yticks(range(CLASSES))
            axis.tick_params(axis="y", labelsize=7)
            axis.set_xlabel("time (ms); shaded: an image is shown")
        if name != OUTPUT:
            axis.tick_params(labelbottom=False)
    return figure


def draw_tsne(hidden: npt.NDArray[np.integer], labels: Indices, seed: int) -> Figure:
    """Spike counts of the hidden layer, (n_images, n), in two dimensions, each image as the number
    of its class; needs scikit-learn."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from sklearn.manifold import TSNE

    counts = hidden[:MOST_POINTS].astype(np.float64)
    shown = labels[:MOST_POINTS]
    perplexity = min(30.0, (len(counts) - 1) / 3.0)
    places = TSNE(random_state=seed, init="pca", perplexity=perplexity).fit_transform(counts)
    figure = Figure(figsize=(6.6, 5.8), layout="constrained")
    axis = figure.subplots()
    colours = colormaps["tab10"]
    for c in range(CLASSES):
        mine = places[shown == c]
        # The class is told by the digit as well as by its colour.
        axis.scatter(mine[:, 0], mine[:, 1], color=colours(c), marker=f"${c}$", s=20, lw=0)
    axis.set_xlabel("t-SNE, first dimension (1)")
    axis.set_ylabel("t-SNE, second dimension (1)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Activity of the hidden layer, {len(counts):,} test images", fontsize=11)
    return figure
