"""The page of the ladder, ``bench.md``: what was measured, on what, under which load."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.aims import aims
from benchmarks.figures import draw_ladder
from benchmarks.peers import BRIAN2, NEST
from benchmarks.rung import Measured, Options, Rung
from experiments.atomic import write_atomically

__all__ = ["kept_sections", "save_figure", "write_page"]


def write_page(
    sections: Sequence[tuple[Rung, Measured]],
    content: Mapping[str, Any],
    folder: Path,
    options: Options,
    kept: Mapping[str, Sequence[str]],
) -> list[Path]:
    """Write the page and its figures; the files, the page first.

    ``kept`` are sections of an earlier page (:func:`kept_sections`), for rungs that were not
    measured since: the measurements may be gone, the page is not.
    """
    small = options.quick or options.tiny
    lines = [
        "# The ladder: speed and memory",
        "",
        "<!-- Written by `spikemesh bench`; edit benchmarks/ instead. -->",
        "",
        "Processor time of one thread, medians of the runs of a row; every run is a process of its "
        "own and the rows of a table took turns. Same parameters for everybody; rates must agree.",
        "",
        f"- Command: `{_command(options)}`",
        *_provenance(content),
        "",
    ]
    if small:
        lines += ["Sizes are small: this was a quick look, not the ladder.", ""]
    ladder = draw_ladder(sections)
    if ladder is not None:
        save_figure(ladder, folder / "bench-ladder.png")
        lines += ["![Times over those of Spikemesh](bench-ladder.png)", ""]
    if not small:
        lines += aims({rung.name: measured for rung, measured in sections})
    for rung, measured in sections:
        if not measured.subjects and rung.title in kept:
            lines += kept[rung.title]
            continue
        lines += [f"## {rung.title}", ""]
        if measured.subjects:
            lines += [*rung.section(measured, folder), ""]
        absent = [f"- {name}: {reason}" for name, reason in measured.missing.items()]
        if absent:
            lines += ["Not measured:", "", *absent, ""]
    page = folder / "bench.md"
    write_atomically(page, lambda file: file.write(("\n".join(lines).rstrip() + "\n").encode()))
    figures = [p for p in sorted(folder.glob("bench-*.png")) if f"({p.name})" in "\n".join(lines)]
    return [page, *figures]


def kept_sections(page: Path) -> dict[str, list[str]]:
    """The sections of a page that is there, by title, each with a line on when it was measured."""
    if not page.exists():
        return {}
    head, *sections = page.read_text().split("\n## ")
    measured = next((x for x in head.splitlines() if x.startswith("- Measured ")), "- Measured")
    note = f"*Not measured again since. {measured.removeprefix('- ')}.*"
    kept = {}
    for section in sections:
        title, *lines = section.rstrip().splitlines()
        earlier = any(line.startswith("*Not measured again since.") for line in lines)
        kept[title] = [f"## {title}", *([] if earlier else ["", note]), *lines, ""]
    return kept


def save_figure(figure: Any, path: Path) -> None:
    """Write a matplotlib figure as PNG."""
    write_atomically(path, lambda file: figure.savefig(file, format="png", dpi=150))


def _command(options: Options) -> str:
    if options.tiny:
        return "the smallest sizes, for tests"
    return "spikemesh bench --quick" if options.quick else "spikemesh bench"


def _provenance(content: Mapping[str, Any]) -> list[str]:
    records = [r for rung in content["rungs"].values() for found in rung.values() for r in found]
    machine, versions = content["machine"], dict(content["versions"])
    for rung in content["rungs"].values():
        for name, found in rung.items():
            if found and "version" in found[-1]:
                peer = next(p.name for p in (NEST, BRIAN2) if p.name in name)
                versions[peer] = found[-1]["version"]
    loads = sorted(float(r["load"]) for r in records)
    days = sorted(str(r["at"]) for r in records)
    named = ", ".join(f"{k} {v}" for k, v in versions.items() if v)
    return [
        f"- Versions: {named}",
        f"- Machine: {machine['processor']}, {machine['cores']} cores, {machine['system']}",
        f"- Measured from {days[0]} to {days[-1]}; load of the machine (processes that wanted a "
        f"core) {loads[0]:.1f} to {loads[-1]:.1f}, median {loads[len(loads) // 2]:.1f}",
    ]
