"""All data sets at a glance: what is where, and whether it is whole."""

from __future__ import annotations

from pathlib import Path

from experiments.datasets.catalogue import CATALOGUE, DataSet, search_places, state
from experiments.datasets.embedded import DIRECTORY, embedded_digits
from experiments.datasets.photographs import load_natural_images
from simulator.errors import DataError

__all__ = ["take_inventory"]

Row = tuple[str, str, str, str]


def take_inventory(data_dir: str | Path | None = None) -> tuple[list[Row], list[DataSet]]:
    """Look at every data set in every place, and compare what is there with its checksums.

    Returns
    -------
    rows : list of (name, where, state, origin)
    missing : list of DataSet
        Those of which no place has a complete copy.
    """
    rows: list[Row] = []
    missing: list[DataSet] = []
    for data_set in CATALOGUE.values():
        found = [
            (data_set.name, str(place / data_set.folder), verdict, data_set.origin)
            for place, _ in search_places(data_dir)
            if (verdict := state(data_set, place)) != "absent"
        ]
        rows += found or [(data_set.name, "nowhere", "absent", data_set.origin)]
        if not any(verdict == "complete" for _, _, verdict, _ in found):
            missing.append(data_set)
    rows.append(_embedded_row())
    rows.append(_photographs_row())
    return rows, missing


def _embedded_row() -> Row:
    try:
        n_train, n_test = (len(embedded_digits(split)[1]) for split in ("train", "test"))
        verdict = f"complete: {n_train:,} + {n_test:,} digits"
    except DataError as error:
        verdict = str(error)
    origin = "a part of MNIST; see ATTRIBUTION.md there"
    return ("embedded", str(DIRECTORY), verdict, origin)


def _photographs_row() -> Row:
    try:
        verdict = f"complete: {len(load_natural_images())} photographs"
    except DataError as error:
        verdict = str(error)
    return ("photographs", "scikit-image", verdict, "see its skimage/data/README.txt")
