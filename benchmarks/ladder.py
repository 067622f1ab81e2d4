"""Climb the ladder: measure what is missing, keep it at once, write the page."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers import Peers, find_peers
from benchmarks.process import Record
from benchmarks.report import kept_sections, write_page
from benchmarks.rung import Measured, Options, Rung, Subject, find_rungs
from experiments.atomic import write_json
from experiments.provenance import machine, timestamp, versions
from experiments.reporting import QuietReporter, Reporter
from simulator.errors import DataError, SpikemeshError

__all__ = ["Store", "bench_command", "climb"]

SCHEMA = 1


class Store:
    """Measurements on the disk: by rung, then subject, a record for each repeat.

    Parameters
    ----------
    path
        A JSON file; written anew after each measurement, so that an interrupted ladder goes on
        where it was.

    Raises
    ------
    DataError
        If the file is there and holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: dict[str, Any] = {"schema": SCHEMA, "rungs": {}}
        if path.exists():
            try:
                self.content = json.loads(path.read_text())
            except (OSError, ValueError) as error:
                raise DataError(f"'{path}' cannot be read: {error}; remove it") from error
            if self.content.get("schema") != SCHEMA:
                raise DataError(f"'{path}' holds no measurements of this version; remove it")

    def records(self, rung: str, subject: str) -> list[Record]:
        """What was measured so far."""
        found: list[Record] = self.content["rungs"].get(rung, {}).get(subject, [])
        return found

    def add(self, rung: str, subject: str, record: Record) -> None:
        """Keep a record, with the versions, the machine and its load."""
        known = self.content["rungs"].setdefault(rung, {})
        known.setdefault(subject, []).append(
            {**record, "at": timestamp(), "load": os.getloadavg()[0]}
        )
        self.content.update(versions=versions(), machine=machine())
        write_json(self.path, self.content)

    def forget(self, rung: str) -> None:
        """Forget all of a rung, before it is measured again."""
        self.content["rungs"].pop(rung, None)


def climb(
    *,
    names: Sequence[str] = (),
    repeats: int = 5,
    options: Options,
    out: Path,
    again: bool = False,
    reporter: Reporter | None = None,
) -> list[Path]:
    """Measure rungs and write their page.

    Parameters
    ----------
    names
        Of the rungs that are measured; none for all.  The page has all that was ever measured.
    repeats
        How often each subject is measured; subjects take turns.
    options
        Sizes and peers; ``options.scratch`` holds the measurements.
    out
        Where the page and its figures go.
    again
        Forget earlier measurements of these rungs.
    reporter
        Where progress goes; default: nowhere.

    Returns
    -------
    list of pathlib.Path
        The files of the page.

    Raises
    ------
    DataError
        For an unknown rung, repeats below 1, or a place that cannot be written to.
    """
    if repeats < 1:
        raise DataError(f"repeats = {repeats}; at least 1 is needed")
    told = QuietReporter() if reporter is None else reporter
    chosen = find_rungs(names)
    options.scratch.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    store = Store(options.scratch / "measurements.json")
    failures: dict[str, dict[str, str]] = {}
    for rung in chosen:
        if again:
            store.forget(rung.name)
        failures[rung.name] = _measure(rung, repeats, options, store, told)
    sections = []
    kept = {} if options.quick or options.tiny else kept_sections(out / "bench.md")
    for rung in find_rungs(()):
        measured = _measured(rung, options, store, failures.get(rung.name, {}))
        missing = any(s.missing for s in rung.subjects(options))
        if measured.subjects or missing or rung.title in kept:
            sections.append((rung, measured))
    return write_page(sections, store.content, out, options, kept)


def _measure(
    rung: Rung, repeats: int, options: Options, store: Store, told: Reporter
) -> dict[str, str]:
    """Measure what is missing of one rung; what failed of the peers."""
    failed: dict[str, str] = {}
    plan: list[tuple[int, Subject]] = []
    subjects = rung.subjects(options)
    for repeat in range(rung.seeds or repeats):
        for subject in subjects:
            wanted = 1 if subject.once else rung.seeds or repeats
            there = len(store.records(rung.name, subject.name))
            if subject.measure is not None and there <= repeat < wanted:
                plan.append((repeat, subject))
    for subject in subjects:
        if subject.missing:
            told.note(f"{rung.name}: {subject.name}: {subject.missing}")
    with told.progress(rung.name, len(plan)) as bar:
        for repeat, subject in plan:
            bar.note(subject.name)
            if subject.name not in failed:
                try:
                    assert subject.measure is not None
                    store.add(rung.name, subject.name, subject.measure(repeat + 1))
                except SpikemeshError as error:
                    if not subject.peer:
                        raise
                    failed[subject.name] = f"failed: {str(error).splitlines()[-1]}"
                    told.note(f"{rung.name}: {subject.name}: {error}")
            bar.advance()
    return failed


def _measured(rung: Rung, options: Options, store: Store, failed: dict[str, str]) -> Measured:
    subjects = rung.subjects(options)
    return Measured(
        {s.name: store.records(rung.name, s.name) for s in subjects},
        {
            s.name: failed.get(s.name) or s.missing or "not measured"
            for s in subjects
            if not store.records(rung.name, s.name)
        },
    )


def bench_command(
    *,
    names: Sequence[str],
    repeats: int,
    peers: bool,
    nest_python: str | None,
    brian2_python: str | None,
    quick: bool,
    again: bool,
    out: Path | None,
    reporter: Reporter,
) -> list[Path]:
    """What ``spikemesh bench`` does; quick measurements are kept apart from the others."""
    scratch = Path("runs/bench-quick" if quick else "runs/bench")
    options = Options(
        find_peers(nest_python, brian2_python) if peers else Peers(), quick=quick, scratch=scratch
    )
    return climb(
        names=names,
        repeats=repeats,
        options=options,
        out=out or (scratch if quick else Path("docs/results")),
        again=again,
        reporter=reporter,
    )
