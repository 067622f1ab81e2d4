"""Patches, measures and network of the experiment `wtcrl`, against what a hand computes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.datasets import embedded_digits
from experiments.wtcrl import Config
from experiments.wtcrl_parts.measures import SILENT, Responses, measure, responses
from experiments.wtcrl_parts.network import CODE, Model, code_vectors
from experiments.wtcrl_parts.paper import paper_figure
from experiments.wtcrl_parts.patches import cut, join, load_patches, resized
from simulator.errors import DataError

SETTINGS = {
    "seed": 1,
    "side": 5,
    "n_train": 40,
    "n_curve": 10,
    "n_train_images": 6,
    "n_test_images": 3,
    "evaluate_on": "test",
    "data_dir": None,
}


def answers(winner, spikes=None):
    winner = np.array(winner)
    return Responses(winner, (winner != SILENT).astype(int) if spikes is None else np.array(spikes))


# --- patches ---------------------------------------------------------------------------------


def test_patches_are_cut_row_by_row():
    image = np.arange(24).reshape(1, 4, 6)
    assert cut(image, 2)[0].tolist() == [
        [0, 1, 6, 7], [2, 3, 8, 9], [4, 5, 10, 11],
        [12, 13, 18, 19], [14, 15, 20, 21], [16, 17, 22, 23],
    ]  # fmt: skip


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_joining_undoes_cutting(n, rows, columns, side):
    images = np.random.default_rng(n).random((n, rows * side, columns * side))
    np.testing.assert_array_equal(join(cut(images, side), rows * side, columns * side), images)


def test_patches_that_do_not_tile_are_refused():
    with pytest.raises(DataError, match="patches of 4 x 4 pixels do not tile images of 30 x 30"):
        cut(np.zeros((1, 30, 30)), 4)


def test_digits_are_resized_without_losing_their_ink():
    digits = embedded_digits("test")[0][:20]
    larger = resized(digits, 30)
    assert larger.shape == (20, 30, 30)
    assert larger.dtype == np.uint8
    # Ink per area stays, but for undershoot that is clipped at white; a flat image stays flat.
    np.testing.assert_allclose(larger.mean((1, 2)), digits.mean((1, 2)), rtol=0.07)
    assert np.unique(resized(np.full((1, 28, 28), 77, np.uint8), 30)).tolist() == [77]


def test_a_run_draws_its_patches_by_its_seed_alone():
    a, again, other = (load_patches("embedded", **{**SETTINGS, "seed": s}) for s in (1, 1, 2))
    assert (a.train.shape, a.test.shape, a.curve.shape) == ((40, 25), (3 * 36, 25), (10, 25))
    np.testing.assert_array_equal(a.train, again.train)
    np.testing.assert_array_equal(a.test, again.test)
    assert not np.array_equal(a.train, other.train)
    assert not np.array_equal(a.test, other.test)
    # The first image of the gallery is the first 36 test patches.
    np.testing.assert_array_equal(cut(a.gallery[:1], 5)[0], a.test[:36])


def test_training_and_test_patches_come_from_images_of_their_own():
    test_images = {i.tobytes() for i in resized(embedded_digits("test")[0], 30)}
    train_images = {i.tobytes() for i in resized(embedded_digits("train")[0], 30)}
    for where, images in (("test", test_images), ("validation", train_images)):
        patches = load_patches("embedded", **{**SETTINGS, "evaluate_on": where})
        gallery = np.round(patches.gallery * 255).astype(np.uint8)
        assert all(image.tobytes() in images for image in gallery)
    # With all but three images in training, those three are what validation is left with.
    one = load_patches(
        "embedded",
        **{**SETTINGS, "n_train_images": 1997, "n_train": 20_000, "evaluate_on": "validation"},
    )
    inked = {p.tobytes() for p in one.test if p.std() > 0.3}
    assert len(inked) > 5
    assert inked.isdisjoint({p.tobytes() for p in one.train})


def test_scaling_keeps_a_margin_and_is_undone():
    patches = load_patches("embedded", **SETTINGS)
    on_ring = patches.scaled(patches.train)
    assert on_ring.min() == pytest.approx(0.15)
    assert on_ring.max() == pytest.approx(0.85)
    np.testing.assert_allclose(patches.raw(on_ring), patches.train, atol=1e-12)
    # What lies in the margin is clipped, not wrapped.
    assert patches.raw(np.array([0.01, 0.99])).tolist() == pytest.approx([0.0, 1.0])


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"n_train_images": 2001}, "'n_train_images' = 2001; embedded has 1 to 2000 images"),
        ({"n_test_images": 501}, "'n_test_images' = 501; embedded has 1 to 500 images"),
        (
            {"n_train_images": 2000, "evaluate_on": "validation"},
            "'n_train_images' = 2000; embedded has no images left for validation",
        ),
        ({"side": 7}, "patches of 7 x 7 pixels do not tile images of 30 x 30"),
    ],
)
def test_more_than_there_is_is_refused(changed, text):
    with pytest.raises(DataError, match=text):
        load_patches("embedded", **{**SETTINGS, **changed})


def test_photographs_are_tested_on_patches_that_were_not_trained_on():
    pytest.importorskip("skimage")
    images = {**SETTINGS, "side": 16, "n_train_images": None, "n_test_images": None}
    patches = load_patches("natural", **{**images, "n_train": 3_000})
    assert patches.train.shape == (3_000, 256)
    seen = {p.tobytes() for p in patches.train}
    assert sum(p.tobytes() in seen for p in patches.test) < 0.01 * len(patches.test)
    assert patches.margin == 0.05
    assert (patches.low, patches.high) == (0.0, 1.0)


# --- measures --------------------------------------------------------------------------------


def test_spikes_are_sorted_into_presentations():
    # Patch 0: neurons 3, then 1; 1: none; 2: 0 and 2 at one instant; 3: at its very end.
    times = np.array([7.0, 7.1, 50.0, 50.0, 99.999])
    got = responses(times, np.array([3, 1, 0, 2, 5]), 4, 25.0)
    assert got.winner.tolist() == [3, SILENT, 0, 5]
    assert got.spikes.tolist() == [2, 0, 2, 1]


def test_a_hand_computed_example():
    patches = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, 0.5]])
    vectors = np.array([[0.0, 0.0], [1.0, 0.6], [0.6, 0.5]])
    got = measure(patches, vectors, answers([0, 2, SILENT, 2], [1, 2, 0, 1]))
    # Errors: 0; sqrt((0.16 + 0.25) / 2); silent; sqrt(0.01 / 2).
    errors = [0.0, math.sqrt(0.205), 1.0, math.sqrt(0.005)]
    assert got.rms == pytest.approx(sum(errors) / 4)
    assert got.rms_firing == pytest.approx((errors[0] + errors[1] + errors[3]) / 3)
    nearest = [0.0, math.sqrt(0.08), math.sqrt((0.36 + 0.25) / 2), math.sqrt(0.005)]
    nearest[2] = min(nearest[2], math.sqrt(0.5))
    assert got.rms_nearest == pytest.approx(sum(nearest) / 4)
    assert got.sparsity == pytest.approx(4 / 3 / 4)
    assert got.spikes_per_patch == 1.0
    assert got.silent == 0.25
    # 5 % of three vectors is the nearest one: patches 1 (rank 1) and 2 (silent) are incoherent.
    assert got.incoherence_5 == 0.5


@pytest.mark.parametrize(
    ("m", "accepted_5", "accepted_10"),
    [(2, 1, 1), (16, 1, 2), (20, 1, 2), (30, 2, 3), (64, 4, 7), (128, 7, 13), (256, 13, 26)],
)
def test_a_winner_is_coherent_up_to_the_ceiling_of_the_share(m, accepted_5, accepted_10):
    """Vectors at distances 0, 1, ..., m - 1; each wins once, so its rank is its index."""
    vectors = np.arange(m, dtype=float)[:, None]
    got = measure(np.zeros((m, 1)), vectors, answers(np.arange(m)))
    assert got.incoherence_5 == pytest.approx(1 - accepted_5 / m)
    assert got.incoherence_10 == pytest.approx(1 - accepted_10 / m)


def test_equal_code_vectors_do_not_make_each_other_incoherent():
    vectors = np.full((40, 7), 1 / 3)
    got = measure(np.full((1, 7), 0.7), vectors, answers([39]))
    assert got.incoherence_5 == 0.0


def test_a_silent_layer_has_no_error_of_its_own():
    got = measure(np.zeros((2, 3)), np.ones((4, 3)), answers([SILENT, SILENT]))
    assert (got.rms, got.rms_firing, got.rms_nearest) == (1.0, None, 1.0)
    assert (got.incoherence_10, got.silent, got.sparsity) == (1.0, 1.0, 0.0)


@given(st.integers(1, 20), st.integers(2, 9), st.integers(1, 4), st.integers(0, 1000))
def test_measures_agree_with_loops(n, m, k, seed):
    rng = np.random.default_rng(seed)
    patches, vectors = rng.random((n, k)), rng.random((m, k))
    winner = rng.integers(-1, m, n)
    got = measure(patches, vectors, answers(winner))
    errors, coherent = [], 0
    for patch, w in zip(patches, winner, strict=True):
        if w == SILENT:
            errors.append(1.0)
            continue
        distances = [sum((patch[i] - v[i]) ** 2 for i in range(k)) for v in vectors]
        errors.append(math.sqrt(distances[w] / k))
        coherent += sorted(range(m), key=distances.__getitem__).index(w) < math.ceil(m / 20)
    assert got.rms == pytest.approx(np.mean(errors))
    assert got.incoherence_5 == pytest.approx(1 - coherent / n)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(DataError, match="do not go together"):
        measure(np.zeros((2, 3)), np.ones((4, 2)), answers([0, 0]))
    with pytest.raises(DataError, match="do not go together"):
        measure(np.zeros((2, 3)), np.ones((4, 3)), answers([0]))


# --- network ---------------------------------------------------------------------------------


def test_inhibition_is_the_solution_of_its_equation():
    """tau dw/dt = -c_max - w from -c_min: -9 thresholds at first, 91 - 82 e^-3 in the end."""
    model = Model(m=16, n_pixels=25, n_train=60_000, tau_m=1.5, lateral_delay=0.0, seed=1)
    assert model.threshold == 62.5
    assert model.inhibition(0) == -9.0
    assert model.inhibition(60_000) == pytest.approx(-91 + 82 * math.exp(-3))
    assert model.inhibition(60_000) == pytest.approx(-86.9, abs=0.03)
    h, rate = 1.0, 3 / 60_000
    slope = (model.inhibition(1000 + h) - model.inhibition(1000 - h)) / (2 * h)
    assert slope == pytest.approx(rate * (-91 - model.inhibition(1000)), rel=1e-6)


def test_weights_that_hold_a_patch_decode_to_it():
    patches = load_patches("embedded", **SETTINGS)
    shown = patches.scaled(patches.test[40:44])
    # Early fields get large weights, as learning would give them.
    weights = np.exp(3 * np.cos(2 * np.pi * (CODE.centres - shown[..., None]))).reshape(4, -1).T
    np.testing.assert_allclose(code_vectors(weights, patches), patches.test[40:44], atol=1e-3)


def test_the_source_is_quoted_where_it_says_something():
    assert paper_figure("mnist", "rms", 64) == 0.087
    assert paper_figure("natural", "sparsity", 256) == 0.043
    assert paper_figure("mnist", "rms", 65) is None
    assert paper_figure("mnist", "silent", 64) is None
    assert paper_figure("fashion", "rms", 64) is None


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"m": 1}, "'m' = 1; it must be at least 2"),
        ({"n_train": 0}, "'n_train' = 0"),
        ({"patch": 0}, "'patch' = 0; it must be at least 1, or none"),
        ({"tau_m": 0.0}, "'tau_m' = 0.0; it must be a time > 0 ms"),
        ({"lateral_delay": -0.1}, "'lateral_delay' = -0.1; it must be a finite number >= 0"),
        ({"noise": math.nan}, "'noise' = nan"),
        ({"checkpoints": (5, -1)}, "'checkpoints'"),
        ({"data": "natural", "n_test_images": 3}, "'n_test_images' = 3; it must be none"),
    ],
)
def test_bad_settings_are_named(settings, text):
    with pytest.raises(DataError, match=text):
        Config(**settings)


def test_the_learning_curve_ends_with_the_run():
    assert Config().curve_at[-2:] == [32_000, 60_000]
    assert Config(n_train=1_500).curve_at == [0, 100, 1_000, 1_500]
    assert Config(n_train=100, checkpoints=(7, 7, 200)).curve_at == [0, 7, 100]
