"""Work in a process of its own, with its processor time and memory.

A job is a function of JSON values that returns numbers.  It runs in a fresh interpreter, ours or a
peer's, so that neither the memory nor the caches of one measurement reach the next.  Processor time
is compared, not wall time: the machine may be shared.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulator.errors import SimulationError

__all__ = ["Record", "peak_mb", "resident_mb", "run_function", "run_script"]

Record = dict[str, Any]

_ROOT = Path(__file__).resolve().parents[1]
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


def run_function(
    function: str, parameters: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> Record:
    """Call ``module:function`` with keyword arguments in a fresh interpreter of ours.

    To what it returns are added ``process_cpu_s``, processor time of the whole process from its
    start to its end, and ``peak_mb``, its largest resident memory.
    """
    module = [sys.executable, "-m", "benchmarks.process", function]
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return _run(module, parameters, {"PYTHONPATH": os.pathsep.join(paths), **(environment or {})})


def run_script(python: str | Path, script: Path, parameters: Mapping[str, Any]) -> Record:
    """Run ``python script parameters.json result.json`` with a peer's interpreter."""
    return _run([str(python), str(script)], parameters, {})


def _run(
    command: list[str], parameters: Mapping[str, Any], environment: Mapping[str, str]
) -> Record:
    with tempfile.TemporaryDirectory(prefix="spikemesh-bench-") as folder:
        given, result, errors = (Path(folder) / n for n in ("in.json", "out.json", "errors"))
        given.write_text(json.dumps(parameters))
        with open(errors, "w") as log:
            started = time.perf_counter()
            child = subprocess.Popen(
                [*command, str(given), str(result)],
                stdout=log,
                stderr=log,
                env={**os.environ, **_ONE_THREAD, **environment},
                cwd=folder,
            )
            try:
                _, status, usage = os.wait4(child.pid, 0)
            except BaseException:
                child.kill()
                child.wait()
                raise
            child.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - started
        if child.returncode != 0 or not result.exists():
            last = "\n".join(errors.read_text(errors="replace").splitlines()[-12:])
            raise SimulationError(
                f"{' '.join(command)} ended with exit code {child.returncode}; its last words:\n"
                f"{last}"
            )
        record: Record = json.loads(result.read_text())
    record["process_cpu_s"] = usage.ru_utime + usage.ru_stime
    record["process_wall_s"] = wall
    return record


def peak_mb() -> float:
    """Largest resident memory of this process so far, MB (10^6 bytes)."""
    return _status("VmHWM")


def resident_mb() -> float:
    """Resident memory of this process now, MB."""
    return _status("VmRSS")


def _status(field: str) -> float:
    # Not getrusage: its maximum is inherited from the process that started this one.
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        import resource

        scale = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    assert found is not None
    return int(found.group(1)) * 1024 / 1e6


def _main() -> None:
    name, given, result = sys.argv[1:]
    module, _, function = name.partition(":")
    record = getattr(importlib.import_module(module), function)(
        **json.loads(Path(given).read_text())
    )
    Path(result).write_text(json.dumps({**record, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    _main()
