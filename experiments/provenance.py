"""Where a result comes from: versions of the software and the machine it ran on."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["machine", "timestamp", "versions"]

PACKAGES = ("spikemesh", "numpy", "numba", "sortedcontainers", "networkx", "matplotlib", "h5py")


def versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that can change a result; None if not installed."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def machine() -> dict[str, str | int | None]:
    """Operating system, processor, and the number of cores this process may use."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": _processor_name(),
        "cores": _usable_cores(),
    }


def timestamp() -> str:
    """The present in UTC as an ISO 8601 string."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _usable_cores() -> int | None:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"
