"""Files of packets to be sent.

A trace is CSV under one of these headings (the last two columns may be missing: 1 and 0)::

    cycle,source,target,flits,tag      a packet for one core
    cycle,source,targets,flits,tag     a packet for several: their numbers, separated by blanks

or a NumPy archive (``.npz``) with arrays of these names; the targets of packet k of the second
kind are ``targets[start[k]:start[k + 1]]`` there.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mapping.graph import IntArray, integers
from mapping.network.multicast_packets import MulticastPackets, MulticastTrace, multicast_trace
from mapping.network.packets import Packets, packets
from simulator.errors import DataError, MappingError
from simulator.ragged import row_starts

__all__ = ["read_trace", "write_trace"]

_UNICAST = ("cycle", "source", "target", "flits", "tag")
_MULTICAST = ("cycle", "source", "targets", "flits", "tag")
_DEFAULTS = {"flits": 1, "tag": 0}
_LEAST = {"cycle": 0, "source": 0, "target": 0, "flits": 1}


def write_trace(path: str | Path, sent: Packets | MulticastTrace | MulticastPackets) -> Path:
    """Write packets to a ``.csv`` or ``.npz`` file.

    Of packets that branch their targets are written, not their trees:
    `MulticastTrace.branching` makes the same ones again.

    Raises
    ------
    DataError
        Another ending, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix not in (".csv", ".npz"):
        raise DataError(f"'{path}': a trace file ends in .csv or .npz")
    if isinstance(sent, MulticastPackets):
        sent = sent.trace()
    try:
        if path.suffix == ".npz":
            np.savez_compressed(path, **_arrays(sent))
        else:
            path.write_text(_as_csv(sent), encoding="utf-8")
    except OSError as error:
        raise DataError(f"'{path}' cannot be written: {error}") from error
    return path


def read_trace(path: str | Path) -> Packets | MulticastTrace:
    """Read packets from a ``.csv`` or ``.npz`` file: `Packets`, or a `MulticastTrace` if it has
    ``targets``.

    Raises
    ------
    DataError
        The file is missing or damaged; the text names it, and the line of a CSV file.
    """
    path = Path(path)
    if path.suffix == ".npz":
        return _read_archive(path)
    if path.suffix == ".csv":
        return _read_csv(path)
    raise DataError(f"'{path}': a trace file ends in .csv or .npz")


def _arrays(sent: Packets | MulticastTrace) -> dict[str, Any]:
    if isinstance(sent, Packets):
        return sent._asdict()
    rows = [sent.sets[number].targets for number in sent.to.tolist()]
    return {
        "cycle": sent.cycle,
        "source": sent.source,
        "start": row_starts(map(len, rows)),
        "targets": np.array([core for row in rows for core in row], dtype=np.int64),
        "flits": sent.flits,
        "tag": sent.tag,
    }


def _as_csv(sent: Packets | MulticastTrace) -> str:
    if isinstance(sent, Packets):
        lines = [",".join(map(str, row)) for row in np.column_stack(sent).tolist()]
        return "\n".join([",".join(_UNICAST), *lines]) + "\n"
    ends = [(one.source, " ".join(map(str, one.targets))) for one in sent.sets]
    columns = (column.tolist() for column in (sent.cycle, sent.to, sent.flits, sent.tag))
    lines = [
        f"{cycle},{ends[to][0]},{ends[to][1]},{flits},{tag}"
        for cycle, to, flits, tag in zip(*columns, strict=True)
    ]
    return "\n".join([",".join(_MULTICAST), *lines]) + "\n"


def _check_names(path: Path, names: Collection[str]) -> None:
    known = _MULTICAST if "targets" in names else _UNICAST
    for name in names:
        if name not in known:
            raise DataError(f"'{path}': column {name!r}; a trace has {', '.join(known)}")
        if list(names).count(name) > 1:
            raise DataError(f"'{path}' has two columns {name!r}")
    for name in known[:3]:
        if name not in names:
            raise DataError(f"'{path}' has no column {name!r}; it has {', '.join(names) or 'none'}")


def _made(
    path: Path, columns: dict[str, IntArray], targets: list[tuple[int, ...]] | None
) -> Packets | MulticastTrace:
    given: dict[str, Any] = {**_DEFAULTS, **columns}
    try:
        if targets is None:
            return packets(**given)
        return multicast_trace(targets=targets, **given)
    except MappingError as error:
        raise DataError(f"'{path}': {error}") from error


def _read_archive(path: Path) -> Packets | MulticastTrace:
    try:
        with path.open("rb") as file, np.load(file) as archive:
            found = {name: np.asarray(archive[name]) for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' cannot be read: {error}") from error
    if "targets" not in found:
        _check_names(path, found)
        return _made(path, found, None)
    _check_names(path, [name for name in found if name != "start"])
    start, flat = (_integers(path, name, found.pop(name, None)) for name in ("start", "targets"))
    sizes = np.diff(start)
    if not start.size or start[0] != 0 or start[-1] != flat.size or sizes.min(initial=0) < 0:
        raise DataError(
            f"'{path}': start does not cut the {flat.size} targets into rows; expected "
            "0 = start[0] <= start[1] <= ... up to their number"
        )
    cores = flat.tolist()
    bounds = start.tolist()
    rows = [tuple(cores[a:b]) for a, b in pairwise(bounds)]
    return _made(path, found, rows)


def _integers(path: Path, name: str, values: IntArray | None) -> IntArray:
    try:
        return integers(name, [] if values is None else values)
    except MappingError as error:
        raise DataError(f"'{path}': {error}") from error


def _read_csv(path: Path) -> Packets | MulticastTrace:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"'{path}' cannot be read: {error}") from error
    if not lines:
        raise DataError(
            f"'{path}' is empty; expected the heading {','.join(_UNICAST)} or "
            f"{','.join(_MULTICAST)}"
        )
    names = [name.strip() for name in lines[0].split(",")]
    _check_names(path, names)
    several = names.index("targets") if "targets" in names else None
    table = np.zeros((len(lines) - 1, len(names)), dtype=np.int64)
    targets: list[tuple[int, ...]] = []
    for k, line in enumerate(lines[1:]):
        entries = line.split(",")
        try:
            if several is not None:
                targets.append(tuple(map(int, entries[several].split())))
                entries[several] = "0"
            table[k] = [int(entry) for entry in entries]
        except (ValueError, OverflowError, IndexError):
            blanks = ", with blanks between the targets" if several is not None else ""
            raise DataError(
                f"'{path}', line {k + 2}: {line!r}; expected {len(names)} whole numbers: "
                f"{', '.join(names)}{blanks}"
            ) from None
        for name, entry in zip(names, table[k].tolist(), strict=True):
            if entry < _LEAST.get(name, entry):
                raise DataError(
                    f"'{path}', line {k + 2}: {name} = {entry}; it must be >= {_LEAST[name]}"
                )
    columns = {name: table[:, j] for j, name in enumerate(names) if name != "targets"}
    return _made(path, columns, None if several is None else targets)
