"""Spikes on disk: the layout, the order, and what is left when the writer is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.spike_file import SpikeFileReader, SpikeFileWriter
from simulator import table_file
from simulator.errors import DataError


def read_all(path: Path, population: str) -> tuple[np.ndarray, np.ndarray]:
    with SpikeFileReader(path) as reader:
        return reader.read(population)


def test_layout_is_sonata_for_a_reader_that_knows_nothing_of_this_program(tmp_path):
    writer = SpikeFileWriter(tmp_path / "spikes.h5")
    writer.declare(["input", "silent"])
    writer.append("input", [0.25, 0.5, 3.0], [7, 1, 7])
    writer.close()
    with h5py.File(tmp_path / "spikes.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        assert file.attrs["version"].tolist() == [0, 1]
        group = file["spikes/input"]
        assert group["timestamps"].dtype == np.float64
        assert group["node_ids"].dtype == np.uint64
        assert group["timestamps"][:].tolist() == [0.25, 0.5, 3.0]
        assert group["node_ids"][:].tolist() == [7, 1, 7]
        assert group["timestamps"].attrs["units"] == "ms"
        meaning = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
        assert meaning == {"none": 0, "by_id": 1, "by_time": 2}
        assert group.attrs["sorting"] == meaning["by_time"]
        assert file["spikes/silent/timestamps"].shape == (0,)


batches = st.lists(
    st.lists(st.tuples(st.floats(0, 9.5, allow_subnormal=False), st.integers(0, 5)), max_size=20),
    max_size=8,
)


@given(batches=batches, cuts=st.sets(st.integers(0, 8)))
def test_any_batches_and_flushes_give_the_spikes_in_order_of_time_then_index(
    batches, cuts, tmp_path_factory
):
    path = tmp_path_factory.mktemp("spikes") / "spikes.h5"
    writer = SpikeFileWriter(path)
    writer.declare(["a"])
    expected = []
    for k, batch in enumerate(batches):
        # Batches follow each other in time; within one, spikes come in any order.
        spikes = [(time + 10 * k, node) for time, node in batch]
        writer.append("a", [t for t, _ in spikes], np.array([n for _, n in spikes], dtype=int))
        expected += sorted(spikes)
        if k in cuts:
            writer.flush()
            times, nodes = read_all(path, "a")
            assert list(zip(times.tolist(), nodes.tolist(), strict=True)) == expected
    writer.close()
    times, nodes = read_all(path, "a")
    assert list(zip(times.tolist(), nodes.tolist(), strict=True)) == expected


def test_buffers_larger_than_a_chunk_and_than_the_limit_arrive_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(table_file, "FLUSH_SECONDS", np.inf)
    path = tmp_path / "spikes.h5"
    writer = SpikeFileWriter(path)
    n = table_file.BUFFERED_BYTES // 16 + 17
    writer.append("a", np.arange(n, dtype=float), np.arange(n))
    # More than the buffer holds: on the disk without a flush being asked for.
    assert read_all(path, "a")[0].size == n
    writer.append("a", [float(n)], [3])
    assert read_all(path, "a")[0].size == n
    writer.close()
    assert np.array_equal(read_all(path, "a")[0], np.arange(n + 1))
    with SpikeFileReader(path) as reader:
        pieces = [nodes for _, nodes in reader.chunks("a", rows=1000)]
        assert max(piece.size for piece in pieces) == 1000
        assert np.array_equal(np.concatenate(pieces), [*range(n), 3])


def test_a_population_declared_late_keeps_what_others_have(tmp_path):
    writer = SpikeFileWriter(tmp_path / "spikes.h5")
    writer.append("first", [1.0, 2.0], [0, 1])
    writer.append("second", [0.5], [4])
    writer.append("first", [2.0], [5])
    writer.close()
    with SpikeFileReader(tmp_path / "spikes.h5") as reader:
        assert reader.populations == ["first", "second"]
        assert reader.read("first")[0].tolist() == [1.0, 2.0, 2.0]
        assert reader.read("second")[1].tolist() == [4]
        assert reader.last_time_ms() == 2.0


def test_a_file_is_continued_and_cut_at_a_time(tmp_path):
    path = tmp_path / "spikes.h5"
    writer = SpikeFileWriter(path)
    writer.append("a", [1.0, 2.0, 3.0], [0, 1, 2])
    writer.append("b", [5.0], [0])
    writer.close()
    again = SpikeFileWriter(path)
    again.keep_until(2.0)
    with pytest.raises(DataError, match=r"1\.5 ms comes after 2\.0 ms was already written"):
        again.append("a", [1.5], [0])
    again.append("a", [2.5], [9])
    again.append("b", [0.1], [7])
    again.close()
    assert read_all(path, "a")[0].tolist() == [1.0, 2.0, 2.5]
    assert read_all(path, "b")[1].tolist() == [7]


@given(
    times=st.lists(st.floats(0, 100), max_size=60).map(sorted),
    start=st.floats(-1, 101),
    stop=st.floats(-1, 101),
)
def test_between_is_bisection(times, start, stop, tmp_path_factory):
    path = tmp_path_factory.mktemp("spikes") / "spikes.h5"
    writer = SpikeFileWriter(path)
    writer.declare(["a"])
    writer.append("a", times, np.zeros(len(times), dtype=int))
    writer.close()
    with SpikeFileReader(path) as reader:
        expected = tuple(int(k) for k in np.searchsorted(times, [start, stop]))
        assert reader.between("a", start, stop) == expected


@pytest.mark.parametrize(
    ("times", "nodes", "text"),
    [
        ([1.0, np.nan], [0, 0], r"time\[1\] = nan ms; spike times must be finite"),
        ([np.inf], [0], r"time\[0\] = inf ms"),
        ([1.0, 2.0], [0], r"\(2,\) times and \(1,\) neuron indices"),
        ([[1.0]], [[0]], r"\(1, 1\) times"),
        ([1.0, 2.0], [3, -1], r"neuron index\[1\] = -1; indices must be >= 0"),
        ([1.0], [0.5], "neuron indices are float64; they must be integers"),
        ([0.5], [0], r"0\.5 ms comes after 1\.0 ms was already written"),
    ],
)
def test_wrong_spikes_are_refused_by_name_and_leave_no_trace(tmp_path, times, nodes, text):
    writer = SpikeFileWriter(tmp_path / "spikes.h5")
    writer.append("cells", [1.0], [0])
    with pytest.raises(DataError, match=f"population 'cells': .*{text}"):
        writer.append("cells", times, nodes)
    writer.close()
    assert read_all(tmp_path / "spikes.h5", "cells")[0].tolist() == [1.0]


@pytest.mark.parametrize("name", ["", ".", "a/b"])
def test_a_name_that_cannot_be_a_group_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="cannot name a group"):
        SpikeFileWriter(tmp_path / "spikes.h5").declare([name])


def test_a_damaged_file_is_refused_by_name(tmp_path):
    path = tmp_path / "spikes.h5"
    with pytest.raises(DataError, match=r"spikes\.h5' does not exist"):
        SpikeFileReader(path)
    path.write_bytes(b"not a file of this kind")
    with pytest.raises(DataError, match=r"spikes\.h5' is damaged or not an HDF5 file"):
        SpikeFileReader(path)
    with pytest.raises(DataError, match=r"spikes\.h5' is damaged"):
        SpikeFileWriter(path)
    assert path.read_bytes() == b"not a file of this kind"
    with h5py.File(path, "w") as file:
        file.create_group("spikes/a").create_dataset("timestamps", data=[1.0])
    with pytest.raises(DataError, match=r"expected /spikes/<population>/\{node_ids, timestamps\}"):
        SpikeFileReader(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = tmp_path / "spikes.h5"
    writer = SpikeFileWriter(path)
    writer.append("a", np.arange(1e5), np.zeros(100_000, dtype=int))
    writer.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"spikes\.h5' is damaged"):
        SpikeFileReader(path)


def test_times_that_go_back_are_damage(tmp_path):
    path = tmp_path / "spikes.h5"
    writer = SpikeFileWriter(path)
    writer.append("a", [1.0, 2.0, 3.0], [0, 1, 2])
    writer.close()
    with h5py.File(path, "r+") as file:
        file["spikes/a/timestamps"][1] = 0.5
    with pytest.raises(DataError, match=r"damaged: time\[1\] comes before the one in front"):
        read_all(path, "a")


def test_an_unknown_population_is_refused_with_the_known_ones(tmp_path):
    writer = SpikeFileWriter(tmp_path / "spikes.h5")
    writer.declare(["a", "b"])
    writer.close()
    with (
        SpikeFileReader(tmp_path / "spikes.h5") as reader,
        pytest.raises(DataError, match="no population 'c'; its populations are 'a', 'b'"),
    ):
        reader.read("c")


ENDLESS = """
import sys
from pathlib import Path
import numpy as np
from experiments.spike_file import SpikeFileWriter

rng = np.random.default_rng(int(sys.argv[2]))
writer = SpikeFileWriter(Path(sys.argv[1]))
writer.declare(["a", "b"])
written = 0
while True:
    n = int(rng.integers(1, 3000))
    for name in ("a", "b"):
        ids = np.arange(written, written + n)
        writer.append(name, ids * 0.5, ids)
    written += n
    writer.flush()
    print(written, flush=True)
"""


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_writer_leaves_every_flushed_spike(tmp_path, seed):
    path = tmp_path / "spikes.h5"
    command = [sys.executable, "-c", ENDLESS, str(path), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        # Killed at a moment that has nothing to do with where the writer is.
        for _ in range(3 + 11 * seed):
            flushed = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            flushed = int(line)
    for name in ("a", "b"):
        times, nodes = read_all(path, name)
        assert times.size >= flushed
        assert np.array_equal(nodes, np.arange(nodes.size))
        assert np.array_equal(times, nodes * 0.5)
    # The next writer goes on where this one was, and leaves a file that needs no special opening.
    last = float(max(read_all(path, name)[0][-1] for name in ("a", "b")))
    writer = SpikeFileWriter(path)
    writer.append("a", [last + 1.0], [1])
    writer.close()
    with h5py.File(path) as file:
        assert file["spikes/a/timestamps"][-1] == last + 1.0


def test_room_that_was_not_filled_is_not_read_as_spikes(tmp_path):
    path = tmp_path / "spikes.h5"
    writer = SpikeFileWriter(path)
    writer.append("a", [1.0, 2.0], [0, 1])
    writer.close()
    with h5py.File(path, "r+") as file:
        file["spikes/a/timestamps"].resize((table_file.CHUNK_ROWS + 5,))
        file["spikes/a/node_ids"].resize((table_file.CHUNK_ROWS + 9,))
    times, nodes = read_all(path, "a")
    assert times.tolist() == [1.0, 2.0]
    assert nodes.tolist() == [0, 1]
