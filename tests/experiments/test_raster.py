"""The raster: every spike is in the picture, as a tick or in a density, and in its place."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.image import imread

from experiments import RunDirectory
from experiments import raster as raster_module
from experiments.network_record import NetworkRecord
from experiments.raster import draw_raster, parse_window, raster
from simulator.errors import DataError


@pytest.fixture
def directory(tmp_path) -> RunDirectory:
    rng = np.random.default_rng(4)
    with RunDirectory.create(tmp_path / "run", experiment="x", parameters={}, seed=1) as run:
        run.declare_populations("input", "hidden", "silent")
        run.append_spikes("input", rng.uniform(0, 400, 3000), rng.integers(0, 70, 3000))
        run.append_spikes("hidden", rng.uniform(0, 400, 90), rng.integers(0, 8, 90))
        run.update(simulated_ms=400.0)
        run.write_network(NetworkRecord({"input": 70, "hidden": 8, "silent": 5}, ()))
    return run


def spikes_in(directory, name, start, stop):
    with directory.spikes() as reader:
        times, nodes = reader.read(name)
    inside = (times >= start) & (times < stop)
    return times[inside], nodes[inside]


def collection(axes, kind):
    return next(c for c in axes.collections if isinstance(c, kind))


@pytest.mark.parametrize("window", [(None, None), (100.0, 250.0), (None, 50.0), (300.0, None)])
def test_few_spikes_are_ticks_each_at_its_time_and_neuron(directory, window):
    figure, remark = draw_raster(directory, window=window)
    start = 0.0 if window[0] is None else window[0]
    stop = 400.0 if window[1] is None else window[1]
    drawn = 0
    for axes, name in zip(figure.axes, ("input", "hidden"), strict=False):
        times, nodes = spikes_in(directory, name, start, stop)
        segments = np.array(collection(axes, LineCollection).get_segments())
        assert np.array_equal(segments[:, 0, 0], times)
        assert np.allclose(segments[:, :, 1].mean(axis=1), nodes)
        drawn += times.size
    assert f"{drawn:,} spikes from {start:g} to {stop:g} ms" in remark
    assert figure.axes[-1].get_xlim() == (start, stop)
    assert figure.axes[-1].get_xlabel() == "time (ms)"


@pytest.mark.parametrize("neuron_bins", [300, 13])
def test_a_density_holds_every_spike_in_its_place(directory, monkeypatch, neuron_bins):
    monkeypatch.setattr(raster_module, "TICKED_SPIKES", 100)
    monkeypatch.setattr(raster_module, "NEURON_BINS", neuron_bins)
    figure, remark = draw_raster(directory)
    assert "input as a density" in remark
    image = collection(figure.axes[0], QuadMesh)
    corners = image.get_coordinates()
    seconds = np.diff(corners[0, :, 0]) / 1e3
    neurons = np.diff(corners[:, 0, 1])
    counts = np.ma.filled(image.get_array(), 0.0) * seconds * neurons[:, None]
    times, nodes = spikes_in(directory, "input", 0, 400)
    expected, *_ = np.histogram2d(nodes, times, bins=(corners[:, 0, 1], corners[0, :, 0]))
    assert np.allclose(counts, expected)
    assert counts.sum() == pytest.approx(3000)
    # A population with few spikes keeps its ticks.
    assert len(collection(figure.axes[1], LineCollection).get_segments()) == 90


def test_the_rates_beneath_hold_every_spike(directory):
    figure, _ = draw_raster(directory)
    rates = figure.axes[-1].patches
    assert len(rates) == 3
    for patch, (size, n) in zip(rates, ((70, 3000), (8, 90), (5, 0)), strict=True):
        values, edges, _ = patch.get_data()
        assert (values * np.diff(edges) / 1e3).sum() * size == pytest.approx(n)


def test_populations_are_chosen_and_ordered_by_the_user(directory):
    figure, _ = draw_raster(directory, populations=["hidden", "input"])
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["hidden\nneuron", "input\nneuron", "mean rate (Hz)"]
    with pytest.raises(DataError, match="no population 'output'; its populations are 'input', 'h"):
        draw_raster(directory, populations=["output"])


def test_long_runs_are_told_in_seconds(tmp_path):
    with RunDirectory.create(tmp_path, experiment="x", parameters={}, seed=1) as run:
        run.append_spikes("a", [0.0, 59_000.0], [0, 4])
    figure, remark = draw_raster(run)
    assert figure.axes[-1].get_xlabel() == "time (s)"
    assert "2 spikes from 0 to 59 s" in remark
    segments = np.array(collection(figure.axes[0], LineCollection).get_segments())
    assert segments[:, 0, 0].tolist() == [0.0, 59.0]
    # Without a record of the network, the neurons are those that fired.
    assert figure.axes[0].get_ylim() == (-0.5, 4.5)


def test_the_picture_is_written_where_it_was_asked_for(directory, tmp_path):
    whole, _ = raster(directory.path)
    part, _ = raster(directory.path, window=(10.0, None))
    other, _ = raster(directory.path, out=tmp_path / "other.png")
    assert [path.name for path in (whole, part, other)] == [
        "raster.png",
        "raster-10-end.png",
        "other.png",
    ]
    assert whole.parent == directory.path
    listed = RunDirectory.open(directory.path).record["files"]
    assert {"raster.png", "raster-10-end.png"} <= set(listed)
    pixels = imread(whole)
    assert pixels.shape[0] > 500
    assert pixels.std() > 0.05
    with pytest.raises(DataError, match=r"cannot write '.*nowhere/x\.png': No such file"):
        raster(directory.path, out=tmp_path / "nowhere" / "x.png")


def test_a_window_is_read_from_text():
    assert parse_window("0:200") == (0.0, 200.0)
    assert parse_window("1.5:") == (1.5, None)
    assert parse_window(":") == (None, None)
    for text in ("200", "a:b", "1:2:3", ""):
        with pytest.raises(DataError, match=rf"window '{text}': expected start:stop in ms"):
            parse_window(text)


@pytest.mark.parametrize("window", ["200:100", "5:5", "nan:3", "0:inf"])
def test_an_empty_or_endless_window_is_refused(directory, window):
    with pytest.raises(DataError, match="it must have start < stop, finite"):
        draw_raster(directory, window=parse_window(window))


def test_a_window_without_spikes_says_where_they_are(directory):
    with pytest.raises(DataError, match=r"no spikes from 500 to 600 ms; its last one is at 39\d"):
        draw_raster(directory, window=(500, 600))
