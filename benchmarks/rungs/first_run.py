"""What the first run of new models costs: with nothing compiled, and with the cache warm."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cores import simulation_of
from benchmarks.networks.brunel import BRUNEL, brunel
from benchmarks.networks.cuba import CUBA, cuba
from benchmarks.process import Record, run_function
from benchmarks.rung import Measured, Options, Rung, Subject, table
from benchmarks.rungs.wtcrl import train

ORDER = 6
KINDS = {
    "cuba": "LIFExp, recurrent",
    "brunel": "LIFDelta with Poisson input",
    "wtcrl": "LIFExp with the W-TCRL rule",
}


def first_run(kind: str, seed: int) -> Record:
    """Describe, compile and run a small network of this kind for a moment."""
    start = time.process_time()
    if kind == "wtcrl":
        train(4, 1, seed)
    elif kind == "cuba":
        small = CUBA._replace(n_exc=80, n_inh=20)
        simulation_of(cuba(small, seed)).run(1.0)
    else:
        fewer = BRUNEL._replace(n_exc=80, n_inh=20, c_exc=8, c_inh=2)
        simulation_of(brunel(fewer, seed)).run(1.0)
    return {"cpu_s": time.process_time() - start}


def cold_and_warm(kind: str, seed: int) -> Record:
    """The same in two processes, one after the other, with a cache that is empty at first."""
    record: Record = {}
    with tempfile.TemporaryDirectory() as cache:
        for state in ("cold", "warm"):
            found = run_function(
                f"{__name__}:first_run",
                {"kind": kind, "seed": seed},
                {"NUMBA_CACHE_DIR": cache},
            )
            record[f"{state}_cpu_s"] = found["cpu_s"]
            record[f"{state}_process_cpu_s"] = found["process_cpu_s"]
            record[f"{state}_wall_s"] = found["process_wall_s"]
            record[f"{state}_peak_mb"] = found["peak_mb"]
        record["cache_mb"] = sum(f.stat().st_size for f in Path(cache).rglob("*")) / 1e6
    return record


def subjects(options: Options) -> Sequence[Subject]:
    """Three sets of models; each measurement empties the cache."""

    def subject(kind: str, label: str) -> Subject:
        return Subject(label, lambda seed: cold_and_warm(kind, seed))

    return [subject(kind, label) for kind, label in KINDS.items()]


def section(measured: Measured, folder: Path) -> Sequence[str]:
    """The table."""
    rows = [
        (
            name,
            len(measured[name]),
            *(
                f"{measured.median(name, key):.2f}"
                for key in (
                    "cold_process_cpu_s",
                    "cold_wall_s",
                    "warm_process_cpu_s",
                    "warm_wall_s",
                )
            ),
            f"{measured.median(name, 'cold_peak_mb'):.0f}",
            f"{measured.median(name, 'cache_mb'):.1f}",
        )
        for name in measured.subjects
    ]
    return [
        "A whole process, from the start of the interpreter to the end of a millisecond of a small "
        "network (a presentation of `wtcrl`). Cold: an empty directory of compiled code, as after "
        "writing a new model; warm: the same once more.",
        "",
        *table(
            (
                "models",
                "runs",
                "cold (CPU s)",
                "cold (wall s)",
                "warm (CPU s)",
                "warm (wall s)",
                "peak memory, cold (MB)",
                "cache (MB)",
            ),
            rows,
        ),
    ]


RUNG = Rung("first_run", "The first run", subjects, section)
