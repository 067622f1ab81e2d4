"""Which data sets there are, where they are looked for, and how to get one that is missing."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import experiments
from simulator.errors import DataError

__all__ = ["CATALOGUE", "DataFile", "DataSet", "how_to_get", "locate", "search_places", "state"]

VARIABLE = "SPIKEMESH_DATA"


@dataclass(frozen=True)
class DataFile:
    """One file of a data set.

    Attributes
    ----------
    name
        As published.
    size
        In bytes, as published.
    content_size, content_sha256
        Size in bytes and SHA-256 of what it holds once decompressed: the checksum that counts,
        since copies of a data set differ in how they were compressed.
    """

    name: str
    size: int
    content_size: int
    content_sha256: str


@dataclass(frozen=True)
class DataSet:
    """A data set that is published as files in one folder."""

    name: str
    title: str
    folder: str
    address: str
    origin: str
    files: tuple[DataFile, ...]


MNIST = DataSet(
    name="mnist",
    title="MNIST",
    folder="mnist",
    address="https://storage.googleapis.com/cvdf-datasets/mnist/",
    origin="Y. LeCun, C. Cortes, C. J. C. Burges; CC BY-SA 3.0",
    files=(
        DataFile(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz",
            28_881,
            60_008,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            7_840_016,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz",
            4_542,
            10_008,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
)

FASHION_MNIST = DataSet(
    name="fashion-mnist",
    title="Fashion-MNIST",
    folder="fashion-mnist",
    address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    origin="H. Xiao, K. Rasul, R. Vollgraf, Zalando SE; MIT licence",
    files=(
        DataFile(
            "train-images-idx3-ubyte.gz",
            26_421_880,
            47_040_016,
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        ),
        DataFile(
            "train-labels-idx1-ubyte.gz",
            29_515,
            60_008,
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        ),
        DataFile(
            "t10k-images-idx3-ubyte.gz",
            4_422_102,
            7_840_016,
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        ),
        DataFile(
            "t10k-labels-idx1-ubyte.gz",
            5_148,
            10_008,
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
)

CATALOGUE = {data_set.name: data_set for data_set in (MNIST, FASHION_MNIST)}


def search_places(data_dir: str | Path | None = None) -> list[tuple[Path, str]]:
    """Where data sets are looked for, in order: (directory, what names it).

    Raises
    ------
    DataError
        If `data_dir` or the variable SPIKEMESH_DATA names something that is not a directory.
    """
    places: list[tuple[Path, str]] = []
    if data_dir is not None:
        if not Path(data_dir).is_dir():
            raise DataError(f"data directory '{data_dir}' does not exist")
        places.append((Path(data_dir), "--data"))
    if os.environ.get(VARIABLE):
        named = Path(os.environ[VARIABLE])
        if not named.is_dir():
            raise DataError(f"{VARIABLE} names '{named}', which is not a directory")
        places.append((named, VARIABLE))
    checkout = Path(experiments.__file__).parents[1]
    # An installed package has no checkout around it, and nothing to look for beside it.
    if (checkout / "pyproject.toml").is_file():
        places.append((checkout.parent / "shared" / "data", "beside the checkout"))
    places.append((_user_cache(), "your cache"))
    return places


def locate(data_set: DataSet, names: list[str], data_dir: str | Path | None = None) -> list[Path]:
    """The files of that name, all in the first place that has any of them.

    Raises
    ------
    DataError
        If they are nowhere (the text says how to get them), or a place has only some of them.
    """
    places = search_places(data_dir)
    for place, _ in places:
        paths = [place / data_set.folder / name for name in names]
        present = [path for path in paths if path.is_file()]
        if present:
            for path in paths:
                if path not in present:
                    raise DataError(
                        f"'{present[0]}' is there but '{path}' is missing; "
                        f"get it from {data_set.address}{path.name}"
                    )
            return paths
    raise DataError(how_to_get(data_set, names, data_dir))


def state(data_set: DataSet, place: Path) -> str:
    """What a place has of a data set: "complete", "absent", or what is missing or damaged.

    Reads every file and compares its content with the published checksum.
    """
    folder = place / data_set.folder
    absent = [file.name for file in data_set.files if not (folder / file.name).is_file()]
    if len(absent) == len(data_set.files):
        return "absent"
    damaged = [
        file.name
        for file in data_set.files
        if file.name not in absent and not _is_whole(folder / file.name, file)
    ]
    faults = [f"{name} is missing" for name in absent] + [f"{name} is damaged" for name in damaged]
    return "; ".join(faults) or "complete"


def how_to_get(
    data_set: DataSet, names: list[str] | None = None, data_dir: str | Path | None = None
) -> str:
    """Where was looked, and what to download from where, with sizes and checksums.

    Parameters
    ----------
    data_set
        The one that is missing.
    names
        The files wanted of it; all if None.
    data_dir
        As in `search_places`.
    """
    places = search_places(data_dir)
    looked = "\n".join(f"  {place / data_set.folder} ({why})" for place, why in places)
    wanted = "\n".join(
        f"  {file.name}  {file.size:,} bytes; unpacked {file.content_size:,} bytes,\n"
        f"    SHA-256 {file.content_sha256}"
        for file in data_set.files
        if names is None or file.name in names
    )
    cache = places[-1][0] / data_set.folder
    return (
        f"{data_set.title} was not found. Looked in\n{looked}\n"
        f"Download from {data_set.address} into {cache} (or anywhere, naming the folder above it "
        f"with --data or {VARIABLE}):\n{wanted}\n"
        "and compare 'gzip -dc FILE | sha256sum'."
    )


def _is_whole(path: Path, file: DataFile) -> bool:
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error):
        return False
    return hashlib.sha256(content).hexdigest() == file.content_sha256


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "spikemesh"
