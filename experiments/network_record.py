"""The connectivity of a run, as much of it as placing the network on a machine needs.

`network.npz` holds `populations` (names) and `sizes`; `projection_pre`, `projection_post` (names of
populations), `projection_kind` ("all_to_all" or "explicit") and `projection_allow_self`, one entry
per projection; and for an explicit projection k the synapses `pre_<k>` and `post_<k>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from experiments.arrays import read_arrays, write_arrays
from simulator.errors import DataError

__all__ = ["NetworkRecord", "ProjectionRecord"]

ALL_TO_ALL = "all_to_all"
EXPLICIT = "explicit"
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ProjectionRecord:
    """One projection between two populations.

    Parameters
    ----------
    pre, post
        Names of the populations.
    kind
        "all_to_all", or "explicit" with the two index arrays.
    allow_self
        Whether an all-to-all projection of a population onto itself connects a neuron to itself.
    pre_indices, post_indices
        Neuron indices of the synapses, shape `(n_synapses,)` each; only if explicit.

    Raises
    ------
    DataError
        If the kind is unknown, or the index arrays do not go with it.
    """

    pre: str
    post: str
    kind: str = ALL_TO_ALL
    allow_self: bool = True
    pre_indices: Indices | None = None
    post_indices: Indices | None = None

    def __post_init__(self) -> None:
        where = f"projection '{self.pre}->{self.post}'"
        if self.kind not in (ALL_TO_ALL, EXPLICIT):
            raise DataError(f"{where}: kind '{self.kind}' is not '{ALL_TO_ALL}' or '{EXPLICIT}'")
        given = self.pre_indices is not None and self.post_indices is not None
        if given != (self.kind == EXPLICIT):
            raise DataError(
                f"{where}: index arrays go with kind '{EXPLICIT}' and with it alone; "
                f"the kind is '{self.kind}'"
            )
        if self.pre_indices is not None and self.post_indices is not None:
            pre, post = np.shape(self.pre_indices), np.shape(self.post_indices)
            if len(pre) != 1 or pre != post:
                raise DataError(f"{where}: index arrays have shapes {pre} and {post}; need (n,)")


@dataclass(frozen=True)
class NetworkRecord:
    """Populations by name with their sizes, and the projections between them.

    Raises
    ------
    DataError
        If a population is empty, or a projection names an unknown population or neuron.
    """

    populations: Mapping[str, int]
    projections: tuple[ProjectionRecord, ...]

    def __post_init__(self) -> None:
        for name, size in self.populations.items():
            if size < 1:
                raise DataError(f"population '{name}' has {size} neurons; it needs at least 1")
        for projection in self.projections:
            where = f"projection '{projection.pre}->{projection.post}'"
            for end, indices in (
                (projection.pre, projection.pre_indices),
                (projection.post, projection.post_indices),
            ):
                if end not in self.populations:
                    known = ", ".join(f"'{name}'" for name in self.populations)
                    raise DataError(f"{where}: no population '{end}'; there are {known}")
                if indices is not None and indices.size:
                    low, high = int(indices.min()), int(indices.max())
                    if low < 0 or high >= self.populations[end]:
                        raise DataError(
                            f"{where}: neuron {low if low < 0 else high} is outside population "
                            f"'{end}' of {self.populations[end]} neurons"
                        )

    def write(self, path: Path) -> None:
        """Write `network.npz`."""
        arrays: dict[str, npt.ArrayLike] = {
            "populations": np.array(list(self.populations), dtype=np.str_),
            "sizes": np.array(list(self.populations.values()), dtype=np.int64),
            "projection_pre": np.array([p.pre for p in self.projections], dtype=np.str_),
            "projection_post": np.array([p.post for p in self.projections], dtype=np.str_),
            "projection_kind": np.array([p.kind for p in self.projections], dtype=np.str_),
            "projection_allow_self": np.array([p.allow_self for p in self.projections], dtype=bool),
        }
        for k, projection in enumerate(self.projections):
            if projection.pre_indices is not None and projection.post_indices is not None:
                arrays[f"pre_{k}"] = np.asarray(projection.pre_indices, dtype=np.int64)
                arrays[f"post_{k}"] = np.asarray(projection.post_indices, dtype=np.int64)
        write_arrays(path, arrays)

    @classmethod
    def read(cls, path: Path) -> NetworkRecord:
        """Read `network.npz`.

        Raises
        ------
        DataError
            If the file is missing, damaged, or inconsistent.
        """
        arrays = read_arrays(path)
        try:
            sizes = arrays["sizes"].tolist()
            projections = tuple(
                ProjectionRecord(
                    str(pre),
                    str(post),
                    str(kind),
                    bool(allow_self),
                    arrays[f"pre_{k}"] if kind == EXPLICIT else None,
                    arrays[f"post_{k}"] if kind == EXPLICIT else None,
                )
                for k, (pre, post, kind, allow_self) in enumerate(
                    zip(
                        arrays["projection_pre"],
                        arrays["projection_post"],
                        arrays["projection_kind"],
                        arrays["projection_allow_self"],
                        strict=True,
                    )
                )
            )
            names = [str(name) for name in arrays["populations"]]
            return cls(dict(zip(names, sizes, strict=True)), projections)
        except (KeyError, ValueError) as error:
            raise DataError(f"'{path}' is damaged: {error}") from error
