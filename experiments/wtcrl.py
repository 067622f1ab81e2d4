"""Representation learning with spike latencies (W-TCRL) on patches of images.

Patches are shown one every 25 ms. A neuron of the representation layer that fires first stores the
latency pattern of the patch in its weights, which decode to a code vector; after training the first
neuron to fire stands for the patch. Measured are the error of that reconstruction, how sparse the
code is, and whether the elected vector is among the nearest.

Source: Fois & Girau, Enhanced representation learning with temporal coding in sparsely spiking
neural networks, Front. Comput. Neurosci. 17:1250908 (2023). What the text leaves open is taken from
its published program and named where it is used. Two differences are on purpose: time is exact here
and not cut into steps of 0.1 ms, and photographs are tested on patches that were not trained on.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from experiments.experiment import Context, Experiment
from experiments.settings import require, setting

if TYPE_CHECKING:
    from experiments.wtcrl_parts.measures import Measures
    from experiments.wtcrl_parts.network import Model
    from experiments.wtcrl_parts.patches import Patches
    from experiments.wtcrl_parts.training import Training

__all__ = ["EXPERIMENT", "Config"]

SIDE = {"mnist": 5, "embedded": 5, "fashion": 5, "natural": 16}
IMAGES: dict[str, tuple[int | None, int | None]] = {
    "mnist": (15_000, 1_000),
    "fashion": (15_000, 1_000),
    "embedded": (None, None),
    "natural": (None, None),
}
EARLY = 500  # presentations: how many neurons win before inhibition has grown


@dataclass(frozen=True)
class Config:
    """The settings; the defaults are the source's protocol."""

    m: int = setting(64, "neurons of the representation layer")
    data: Literal["mnist", "embedded", "fashion", "natural"] = setting("mnist", "images")
    n_train: int = setting(60_000, "training patches, drawn with replacement")
    n_train_images: int | None = setting(
        None, "training images; none = 15,000 of mnist and fashion, all of the others"
    )
    n_test_images: int | None = setting(
        None, "test images; none = 1,000 of mnist and fashion, all of the others"
    )
    patch: int | None = setting(None, "edge of a patch; none = 5, or 16 for natural", unit="pixels")
    tau_m: float = setting(1.5, "membrane time constant (table 1 of the source has 1.4)", unit="ms")
    lateral_delay: float = setting(0.0, "from a spike to the inhibition it causes", unit="ms")
    noise: float = setting(0.0, "g, white noise in the encoder during training")
    evaluate_on: Literal["test", "validation"] = setting(
        "test", "validation = training images that are not trained on, for choosing settings"
    )
    checkpoints: tuple[int, ...] = setting(
        (0, 100, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000),
        "presentations at which the learning curve is measured; the last one always is",
    )
    curve_patches: int = setting(500, "training patches that the learning curve is measured on")
    record_patches: int = setting(2_000, "test patches whose spikes go to spikes.h5")
    checkpoint_s: float = setting(10.0, "wall time between checkpoints for --resume", unit="s")

    def __post_init__(self) -> None:
        for name, least in (("m", 2), ("n_train", 1), ("curve_patches", 1), ("record_patches", 0)):
            require(getattr(self, name) >= least, name, getattr(self, name), f"at least {least}")
        for name in ("n_train_images", "n_test_images", "patch"):
            value = getattr(self, name)
            require(value is None or value >= 1, name, value, "at least 1, or none")
        for name in ("lateral_delay", "noise", "checkpoint_s"):
            value = getattr(self, name)
            require(math.isfinite(value) and value >= 0, name, value, "a finite number >= 0")
        require(math.isfinite(self.tau_m) and self.tau_m > 0, "tau_m", self.tau_m, "a time > 0 ms")
        require(
            all(n >= 0 for n in self.checkpoints), "checkpoints", self.checkpoints, "numbers >= 0"
        )
        if self.data == "natural":
            for name in ("n_train_images", "n_test_images"):
                value = getattr(self, name)
                require(value is None, name, value, "none: natural images are ten photographs")

    @property
    def side(self) -> int:
        """Edge of a patch in pixels."""
        return SIDE[self.data] if self.patch is None else self.patch

    @property
    def curve_at(self) -> list[int]:
        """The checkpoints within this run, ascending, with its end."""
        return sorted({0, self.n_train} | {n for n in self.checkpoints if n < self.n_train})


def run(config: Config, context: Context) -> Mapping[str, object]:
    """Train, test, present, draw; see the module's text."""
    from experiments.wtcrl_parts.network import Model
    from experiments.wtcrl_parts.patches import load_patches
    from experiments.wtcrl_parts.training import train

    n_train_images, n_test_images = IMAGES[config.data]
    start = time.perf_counter()
    patches = load_patches(
        config.data,
        seed=context.seed,
        side=config.side,
        n_train=config.n_train,
        n_curve=config.curve_patches,
        n_train_images=config.n_train_images or n_train_images,
        n_test_images=config.n_test_images or n_test_images,
        evaluate_on=config.evaluate_on,
        data_dir=context.data_dir,
    )
    loaded = time.perf_counter()
    model = Model(
        config.m,
        config.side**2,
        config.n_train,
        config.tau_m,
        config.lateral_delay,
        context.seed,
    )
    # The engine is compiled at its first event; a network of one patch pays for it here.
    model.training(patches.scaled(patches.train[:1]), config.noise).run(1.0)
    compiled = time.perf_counter()
    training = train(
        model,
        patches,
        context,
        noise=config.noise,
        curve_at=config.curve_at,
        checkpoint_s=config.checkpoint_s,
    )
    context.directory.update(
        timings={
            "load_s": loaded - start,
            "compile_s": compiled - loaded,
            "train_s": training.seconds,
            "presentations_per_s": config.n_train / training.seconds,
        }
    )
    _write_training(model, training, context)
    return _evaluate(config, context, model, patches, training)


def _write_training(model: Model, training: Training, context: Context) -> None:
    from experiments.wtcrl_parts.network import AFFERENT

    directory = context.directory
    directory.write_weights({AFFERENT: training.weights})
    directory.write_network(model.record())
    directory.write_arrays("training", {"times_ms": training.times_ms, "neurons": training.neurons})
    directory.write_arrays(
        "curve",
        {
            "patches": np.array(training.curve.patches),
            "code_vectors": np.array(training.curve.code_vectors),
        },
    )


def _evaluate(
    config: Config, context: Context, model: Model, patches: Patches, training: Training
) -> Mapping[str, object]:
    """Test, write spikes and pictures, and collect the results."""
    from experiments.wtcrl_parts import figures
    from experiments.wtcrl_parts.measures import measure, responses
    from experiments.wtcrl_parts.network import CODE, code_vectors
    from experiments.wtcrl_parts.presentation import reconstruct, record_presentations

    vectors = code_vectors(training.weights, patches)
    start = time.perf_counter()
    with context.progress("test", len(patches.test) * (2 if config.noise else 1)) as bar:
        answers, times, neurons = model.answers(
            patches.scaled(patches.test), training.weights, advance=bar.advance
        )
        result = measure(patches.test, vectors, answers)
        noisy = None
        if config.noise:
            noisy_answers, _, _ = model.answers(
                patches.scaled(patches.test),
                training.weights,
                noise=config.noise,
                advance=bar.advance,
            )
            noisy = measure(patches.test, vectors, noisy_answers)
    context.directory.update(timings={"test_s": time.perf_counter() - start})
    context.directory.write_arrays("test", {"times_ms": times, "neurons": neurons})

    during = responses(training.times_ms, training.neurons, config.n_train, CODE.period_ms)
    presented = record_presentations(
        model, patches, training.weights, config.record_patches, context
    )
    pictures = {
        "code_vectors": figures.draw_code_vectors(training.curve, patches),
        "learning_curve": figures.draw_learning_curve(training.curve, during, model),
        "reconstruction": figures.draw_reconstruction(
            patches, reconstruct(model, patches, training.weights)
        ),
    }
    if presented is not None:
        pictures["presentations"] = figures.draw_presentations(presented, model, patches, vectors)
    for name, figure in pictures.items():
        context.directory.write_figure(name, figure)
    _show(config, context, result)
    return {
        **asdict(result),
        **({f"{name}_noisy_test": value for name, value in asdict(noisy).items()} if noisy else {}),
        "n_test_patches": len(patches.test),
        "spikes_per_patch_early": float(during.spikes[:EARLY].mean()),
        "spikes_per_patch_training": float(during.spikes.mean()),
        "curve_patches": training.curve.patches,
        **{
            f"curve_{name}": training.curve.column(name)
            for name in ("rms", "sparsity", "incoherence_5", "incoherence_10", "silent")
        },
    }


def _show(config: Config, context: Context, result: Measures) -> None:
    """The table at the end, with the source's figures where it has any."""
    from experiments.wtcrl_parts.paper import paper_figure

    rows = []
    for name, label in (
        ("rms", "RMS error (silent patch = 1)"),
        ("rms_firing", "RMS error without silent patches"),
        ("rms_nearest", "RMS error of the nearest code vector"),
        ("sparsity", "sparsity"),
        ("spikes_per_patch", "spikes per patch"),
        ("incoherence_5", "incoherence, 5 %"),
        ("incoherence_10", "incoherence, 10 %"),
        ("silent", "silent patches"),
    ):
        ours = getattr(result, name)
        paper = paper_figure(config.data, name, config.m)
        rows.append(
            (label, "-" if ours is None else f"{ours:.4f}", "" if paper is None else f"{paper:.3f}")
        )
    rate = context.directory.record["timings"]["presentations_per_s"]
    rows.append(("training presentations per second", f"{rate:.0f}", ""))
    source = "source (full MNIST)" if config.data == "embedded" else "source"
    context.table(
        f"W-TCRL, {config.m} neurons, {config.data}, {config.n_train:,} training patches",
        ("measure", "this run", source),
        rows,
    )


EXPERIMENT = Experiment(
    name="wtcrl",
    summary="learn code vectors of image patches from spike latencies (W-TCRL)",
    config=Config,
    run=run,
)
