"""Traffic as a text file of comma-separated values.

One line of the form ``# n_cores = 4, duration_ms = 100.0``, a header, and a row per flow::

    source,target,packets        one packet per target; source = target is a local delivery
    source,targets,packets       multicast: targets separated by blanks, one packet for all

Cores are logical cores, numbered from 0. Either form gives the same unicast traffic; only the
second keeps which packets go to several cores at once.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mapping.multicast_flows import MulticastFlows
from mapping.traffic import Traffic
from simulator.errors import DataError, MappingError

__all__ = ["read_traffic_csv", "write_traffic_csv"]

_UNICAST = ["source", "target", "packets"]
_MULTICAST = ["source", "targets", "packets"]
_SETTING = re.compile(r"\s*(\w+)\s*=\s*(\S+)\s*")


def write_traffic_csv(
    traffic: Traffic, path: str | os.PathLike[str], *, multicast: bool = False
) -> Path:
    """Write the traffic, by source, then target, and return the path.

    Parameters
    ----------
    multicast : bool
        Write sets of targets instead of pairs; the traffic must know them.

    Raises
    ------
    MappingError
        `multicast` of a traffic that only has a matrix.
    DataError
        The file cannot be written.
    """
    flows = traffic.multicast
    if multicast and flows is None:
        raise MappingError("this traffic has no multicast flows; write it with multicast=False")
    rows: list[tuple[int, str, int]] = []
    if multicast and flows is not None:
        for f in range(flows.n_flows):
            targets = flows.target[flows.start[f] : flows.start[f + 1]].tolist()
            rows.append((int(flows.source[f]), " ".join(map(str, targets)), int(flows.packets[f])))
    else:
        for i, j in zip(*np.nonzero(traffic.packets), strict=True):
            rows.append((int(i), str(j), int(traffic.packets[i, j])))
    rows += [(int(i), str(i), int(traffic.local[i])) for i in np.flatnonzero(traffic.local)]
    rows.sort(key=lambda row: row[0])
    target = Path(path)
    try:
        with target.open("w", encoding="utf-8", newline="") as file:
            file.write(f"# n_cores = {traffic.n_cores}, duration_ms = {traffic.duration_ms!r}\n")
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_MULTICAST if multicast else _UNICAST)
            writer.writerows(rows)
    except OSError as error:
        raise DataError(f"{target}: cannot write the traffic: {error.strerror}") from error
    return target


def read_traffic_csv(
    path: str | os.PathLike[str], *, n_cores: int | None = None, duration_ms: float | None = None
) -> Traffic:
    """Traffic from a file of either form; rows of the same flow add up.

    Parameters
    ----------
    n_cores : int, optional
        Logical cores, where the file does not say; default, one more than the largest number.
    duration_ms : float, optional
        [ms] where the file does not say.

    Raises
    ------
    DataError
        The file cannot be read, or a line is not what it should be; the text names the line.
    """
    source = Path(path)
    try:
        lines = source.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{source}: cannot read the traffic: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{source}: not a text file in UTF-8 ({error.reason})") from error
    settings = _settings(source, lines)
    n_cores = int(settings.get("n_cores", n_cores or 0)) or None
    duration_ms = settings.get("duration_ms", duration_ms)
    if duration_ms is None:
        raise DataError(
            f"{source}: no duration; give duration_ms, or a line '# duration_ms = 1000.0' on top"
        )
    sets: dict[tuple[int, tuple[int, ...]], int] = {}
    local: dict[int, int] = {}
    highest = -1
    multicast = False
    for where, row, sets_of_targets in _rows(source, lines):
        multicast = sets_of_targets
        core = _number(where, "source", row[0])
        targets = tuple(sorted({_number(where, "target", word) for word in row[1].split()}))
        packets = _number(where, "packets", row[2])
        if not targets:
            raise DataError(f"{where}: no target")
        highest = max(highest, core, *targets)
        if n_cores is not None and highest >= n_cores:
            raise DataError(f"{where}: core {highest}; there are n_cores = {n_cores}, from 0")
        if core in targets:
            local[core] = local.get(core, 0) + packets
        remote = tuple(target for target in targets if target != core)
        if remote and packets:
            sets[core, remote] = sets.get((core, remote), 0) + packets
    size = n_cores if n_cores is not None else highest + 1
    if size == 0:
        raise DataError(f"{source}: no flow, and no n_cores to say how many cores there are")
    at_home = np.array([local.get(core, 0) for core in range(size)], dtype=np.int64)
    flows = MulticastFlows.from_sets(sets)
    try:
        if multicast:
            return Traffic.from_multicast(flows, at_home, duration_ms)
        return Traffic(flows.unicast(size), at_home, duration_ms)
    except MappingError as error:
        raise DataError(f"{source}: {error}") from error


def _settings(source: Path, lines: list[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for k, line in enumerate(lines, start=1):
        if not line.lstrip().startswith("#"):
            continue
        for part in line.lstrip().lstrip("#").split(","):
            match = _SETTING.fullmatch(part)
            if match is None or match[1] not in ("n_cores", "duration_ms"):
                continue
            try:
                value = float(match[2])
            except ValueError:
                value = float("nan")
            if not (np.isfinite(value) and value > 0):
                raise DataError(f"{source}, line {k}: {match[1]} = {match[2]}; it must be > 0")
            if match[1] == "n_cores" and value != int(value):
                raise DataError(f"{source}, line {k}: n_cores = {match[2]}; expected an integer")
            found[match[1]] = value
    return found


def _rows(source: Path, lines: list[str]) -> Iterator[tuple[str, list[str], bool]]:
    """(file and line, cells, whether targets are sets) of every row below the header."""
    multicast: bool | None = None
    for k, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"{source}, line {k}"
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        if multicast is None:
            if cells not in (_UNICAST, _MULTICAST):
                raise DataError(
                    f"{where}: header {line.strip()!r}; expected {','.join(_UNICAST)} or "
                    f"{','.join(_MULTICAST)}"
                )
            multicast = cells == _MULTICAST
            continue
        if len(cells) != 3:
            raise DataError(f"{where}: {len(cells)} columns; expected 3")
        if not multicast and len(cells[1].split()) > 1:
            raise DataError(
                f"{where}: target = {cells[1]!r}; one number, or name the column 'targets'"
            )
        yield where, cells, multicast
    if multicast is None:
        raise DataError(f"{source}: empty; expected a header {','.join(_UNICAST)}")


def _number(where: str, name: str, text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise DataError(f"{where}: {name} = {text!r}; expected an integer >= 0")
    return value
