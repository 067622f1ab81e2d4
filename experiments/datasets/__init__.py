"""Data sets: digits and clothes as IDX files, natural photographs, and a sample inside the package.

Loaders return arrays as they are stored; scaling and cutting belong to the experiment.
"""

from experiments.datasets.catalogue import (
    CATALOGUE,
    DataFile,
    DataSet,
    how_to_get,
    locate,
    search_places,
    state,
)
from experiments.datasets.digits import load_fashion_mnist, load_mnist
from experiments.datasets.embedded import embedded_digits
from experiments.datasets.idx import parse_idx, read_idx
from experiments.datasets.inventory import take_inventory
from experiments.datasets.photographs import load_natural_images

__all__ = [
    "CATALOGUE",
    "DataFile",
    "DataSet",
    "embedded_digits",
    "how_to_get",
    "load_fashion_mnist",
    "load_mnist",
    "load_natural_images",
    "locate",
    "parse_idx",
    "read_idx",
    "search_places",
    "state",
    "take_inventory",
]
