"""Data sets: where they are looked for, and that a damaged one is refused with its damage."""

from __future__ import annotations

import gzip
import importlib.util
import lzma

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from experiments.datasets import (
    CATALOGUE,
    catalogue,
    embedded,
    embedded_digits,
    how_to_get,
    load_fashion_mnist,
    load_mnist,
    load_natural_images,
    locate,
    parse_idx,
    photographs,
    read_idx,
    search_places,
    state,
    take_inventory,
)
from experiments.datasets.idx import encode_idx
from experiments.datasets.make_sample import PER_CLASS, SEED, choose
from simulator.errors import DataError

TRAIN = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")


@pytest.fixture(autouse=True)
def nothing_but_here(tmp_path, monkeypatch):
    """No data set of the machine is found unless a test says where."""
    monkeypatch.delenv("SPIKEMESH_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    package = tmp_path / "checkout" / "experiments" / "__init__.py"
    monkeypatch.setattr(catalogue.experiments, "__file__", str(package))


@pytest.fixture
def shared(monkeypatch):
    """The data sets beside the checkout, where there are any."""
    monkeypatch.setattr(catalogue.experiments, "__file__", embedded.DIRECTORY.parent / "x.py")
    place = embedded.DIRECTORY.parents[2] / "shared" / "data"
    if not (place / "mnist").is_dir():
        pytest.skip(f"no data sets in {place}")
    return place


def put(place, n=3, name="mnist", images=None, labels=None):
    folder = place / name
    folder.mkdir(parents=True)
    images = np.arange(n * 784, dtype=np.uint8).reshape(n, 28, 28) if images is None else images
    labels = np.arange(n, dtype=np.uint8) if labels is None else labels
    for file, values in zip(TRAIN, (images, labels), strict=True):
        (folder / file).write_bytes(gzip.compress(encode_idx(values), mtime=0))
    return images, labels


@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6)))
def test_an_idx_file_comes_back_as_it_was(values):
    back = parse_idx(encode_idx(values), values.ndim, "x")
    assert back.shape == values.shape
    assert np.array_equal(back, values)


@given(values=npst.arrays(np.uint8, (2, 3, 4)), cut=st.integers(0, 39))
def test_an_idx_file_cut_anywhere_is_refused(values, cut):
    with pytest.raises(DataError, match=r"^'x' is damaged"):
        parse_idx(encode_idx(values)[:cut], 3, "'x'")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda c: b"\0\0\x0d\3" + c[4:], "begins with 0x00000d03, not 0x00000803"),
        (lambda c: b"\0\0\x08\1" + c[4:], "begins with 0x00000801, not 0x00000803"),
        (lambda c: c + b"\0", "announces 2 x 3 x 4 = 24 values, but 25 follow"),
    ],
)
def test_another_type_rank_or_length_is_refused(change, text):
    content = encode_idx(np.zeros((2, 3, 4), dtype=np.uint8))
    with pytest.raises(DataError, match=text):
        parse_idx(change(content), 3, "'x'")


@pytest.mark.parametrize("compress", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "not compressed", "empty"])
def test_damaged_compression_is_refused_with_the_name_of_the_file(tmp_path, compress, damage):
    values = np.random.default_rng(1).integers(0, 256, 5000, dtype=np.uint8)
    content = encode_idx(values)
    path = tmp_path / ("x.gz" if compress is gzip.compress else "x.xz")
    packed = bytearray(compress(content))
    path.write_bytes(packed)
    assert np.array_equal(read_idx(path, 1), values)
    if damage == "truncated":
        packed = packed[:-100]
    elif damage == "flipped":
        packed[len(packed) // 2] ^= 0x10
    elif damage == "not compressed":
        packed = bytearray(content)
    else:
        packed = bytearray()
    path.write_bytes(packed)
    with pytest.raises(DataError, match=rf"'{path}' is damaged: "):
        read_idx(path, 1)


def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path):
    with pytest.raises(DataError, match=r"cannot read '.*x\.gz': No such file"):
        read_idx(tmp_path / "x.gz", 1)


def test_digits_are_loaded_from_each_place_in_its_turn(tmp_path, monkeypatch):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "pyproject.toml").touch()
    (tmp_path / "variable").mkdir()
    monkeypatch.setenv("SPIKEMESH_DATA", str(tmp_path / "variable"))
    places = [
        tmp_path / "cache" / "spikemesh",
        tmp_path / "shared" / "data",
        tmp_path / "variable",
        tmp_path / "option",
    ]
    (tmp_path / "option").mkdir()
    assert [place for place, _ in search_places(tmp_path / "option")] == places[::-1]
    for n, place in enumerate(places, start=2):
        images, labels = put(place, n)
        for data_dir in (tmp_path / "option", str(tmp_path / "option")):
            got_images, got_labels = load_mnist("train", data_dir)
            assert np.array_equal(got_images, images)
            assert np.array_equal(got_labels, labels)


def test_an_installed_package_looks_for_no_checkout(tmp_path):
    assert [why for _, why in search_places()] == ["your cache"]


def test_clothes_are_not_digits(tmp_path):
    put(tmp_path, 4, "fashion-mnist")
    assert len(load_fashion_mnist("train", tmp_path)[0]) == 4
    with pytest.raises(DataError, match="MNIST was not found"):
        load_mnist("train", tmp_path)


def test_a_missing_data_set_is_explained(tmp_path):
    with pytest.raises(DataError) as caught:
        load_mnist("test", tmp_path)
    text = str(caught.value)
    assert str(tmp_path / "mnist") in text
    assert str(tmp_path / "cache" / "spikemesh" / "mnist") in text
    assert CATALOGUE["mnist"].address in text
    for file in CATALOGUE["mnist"].files:
        wanted = file.name.startswith("t10k")
        assert (file.name in text) == wanted
        assert (f"{file.size:,} bytes" in text) == wanted
        assert (file.content_sha256 in text) == wanted
    assert all(file.name in how_to_get(CATALOGUE["mnist"]) for file in CATALOGUE["mnist"].files)


def test_half_a_data_set_is_refused(tmp_path):
    put(tmp_path)
    (tmp_path / "mnist" / TRAIN[1]).unlink()
    with pytest.raises(DataError, match=r"train-images.* is there but .*train-labels.* is missing"):
        load_mnist("train", tmp_path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"images": np.zeros((3, 27, 28), np.uint8)}, r"images have \(27, 28\) pixels"),
        ({"labels": np.zeros(4, np.uint8)}, "3 images but 4 labels"),
        ({"labels": np.array([0, 10, 1], np.uint8)}, r"label\[1\] = 10; labels are 0 to 9"),
        ({"n": 0}, "there are no images in it"),
    ],
)
def test_images_and_labels_that_do_not_go_together_are_refused(tmp_path, options, text):
    put(tmp_path, **options)
    with pytest.raises(DataError, match=text):
        load_mnist("train", tmp_path)


def test_a_directory_that_is_not_there_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="data directory '/no/where' does not exist"):
        load_mnist("train", "/no/where")
    monkeypatch.setenv("SPIKEMESH_DATA", "/no/where")
    with pytest.raises(DataError, match="SPIKEMESH_DATA names '/no/where', which is not a dir"):
        load_mnist("train", tmp_path)


@pytest.mark.parametrize("load", [load_mnist, load_fashion_mnist, embedded_digits])
def test_an_unknown_split_is_refused(load):
    with pytest.raises(DataError, match="no split 'valid'; there are 'train' and 'test'"):
        load("valid")


def test_the_state_of_a_place_names_what_is_missing_and_damaged(tmp_path):
    assert state(CATALOGUE["mnist"], tmp_path) == "absent"
    put(tmp_path)
    verdict = state(CATALOGUE["mnist"], tmp_path)
    assert "t10k-images-idx3-ubyte.gz is missing" in verdict
    assert "train-images-idx3-ubyte.gz is damaged" in verdict


def test_the_inventory_lists_everything_and_what_to_get(tmp_path):
    put(tmp_path)
    rows, missing = take_inventory(tmp_path)
    by_name = {row[0]: row for row in rows}
    assert by_name["mnist"][1] == str(tmp_path / "mnist")
    assert "damaged" in by_name["mnist"][2]
    assert by_name["fashion-mnist"][1:3] == ("nowhere", "absent")
    assert by_name["embedded"][2] == "complete: 2,000 + 500 digits"
    assert [data_set.name for data_set in missing] == ["mnist", "fashion-mnist"]


def test_the_embedded_sample_is_small_and_balanced():
    total = sum(path.stat().st_size for path in embedded.DIRECTORY.iterdir())
    assert total < 600_000
    for split, per_class in PER_CLASS.items():
        images, labels = embedded_digits(split)
        assert images.dtype == labels.dtype == np.uint8
        assert images.shape == (10 * per_class, 28, 28)
        assert np.bincount(labels).tolist() == [per_class] * 10
        # Ink on paper, centred by its mass as MNIST is.
        assert images[:, 0, :].max() == 0
        assert images.max() == 255


def test_the_embedded_sample_is_that_of_the_published_files(shared):
    for split, per_class in PER_CLASS.items():
        images, labels = load_mnist(split, shared)
        kept = choose(labels, per_class, SEED)
        sample_images, sample_labels = embedded_digits(split)
        assert np.array_equal(sample_images, images[kept])
        assert np.array_equal(sample_labels, labels[kept])


def test_the_published_files_are_whole(shared):
    for data_set in CATALOGUE.values():
        assert state(data_set, shared) == "complete"
    assert load_mnist("train")[0].shape == (60_000, 28, 28)
    assert locate(CATALOGUE["mnist"], [TRAIN[0]])[0].parent == shared / "mnist"


@given(st.data())
def test_a_drawn_sample_has_as_many_of_each_class_and_no_item_twice(data):
    labels = data.draw(npst.arrays(np.uint8, st.integers(10, 80), elements=st.integers(0, 9)))
    kept = choose(labels, 2, data.draw(st.integers(0, 9)))
    assert np.array_equal(kept, np.unique(kept))
    expected = np.minimum(np.bincount(labels, minlength=10), 2)
    assert np.array_equal(np.bincount(labels[kept], minlength=10), expected)


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_sample_is_refused_by_name(tmp_path, monkeypatch, damage):
    for path in embedded.DIRECTORY.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(embedded, "DIRECTORY", tmp_path)
    file = tmp_path / "mnist-sample-test-labels.idx1.xz"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes() + b"\0\0\0\0")
    with pytest.raises(DataError, match=rf"'{file}' is (missing|damaged).*install spikemesh again"):
        embedded_digits("test")
    assert len(embedded_digits("train")[0]) == 2000


def test_photographs_are_grey_and_between_0_and_1():
    pytest.importorskip("skimage")
    images = load_natural_images()
    assert list(images) == list(photographs.PHOTOGRAPHS)
    for image in images.values():
        assert image.ndim == 2
        assert min(image.shape) >= 300
        assert image.dtype == np.float64
        assert 0.0 <= image.min() < 0.3
        assert 0.7 < image.max() <= 1.0
        assert image.std() > 0.05


def test_a_coloured_photograph_turns_grey_by_its_luminance():
    io = pytest.importorskip("skimage.io")
    import skimage.data

    folder = photographs.Path(skimage.data.__file__).parent
    coloured = io.imread(folder / "coffee.png") / 255.0
    grey = coloured @ [0.2125, 0.7154, 0.0721]
    assert np.allclose(load_natural_images()["coffee"], grey, atol=1e-12)


def test_without_the_extra_the_error_names_it(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        photographs, "find_spec", lambda name: None if name == "skimage" else found(name)
    )
    with pytest.raises(DataError, match=r"pip install 'spikemesh\[images\]'"):
        load_natural_images()
