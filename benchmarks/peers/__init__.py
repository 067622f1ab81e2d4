"""Other simulators: found in an interpreter of their own, run by scripts that need nothing of ours.

A script is called as ``python script.py parameters.json result.json``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.process import Record, run_script
from simulator.errors import DataError

__all__ = ["BRIAN2", "NEST", "Peer", "Peers", "find_peers"]


@dataclass(frozen=True)
class Peer:
    """A simulator that is compared with; ``python`` is None where it is not installed."""

    name: str
    module: str
    how: str
    python: str | None = None

    def run(self, script: str, parameters: Mapping[str, Any]) -> Record:
        """Run one of the scripts of this package in the peer's interpreter."""
        assert self.python is not None
        return run_script(self.python, Path(__file__).with_name(script), parameters)

    @property
    def missing(self) -> str | None:
        """What to do to have it, None when it is there."""
        return None if self.python else f"not installed: {self.how}"


NEST = Peer(
    "NEST",
    "nest",
    "`pip install nest-simulator`, here or elsewhere, and `--nest-python PYTHON`",
)
BRIAN2 = Peer(
    "Brian2",
    "brian2",
    "`pip install brian2` and a C++ compiler, here or elsewhere, and `--brian2-python PYTHON`",
)


@dataclass(frozen=True)
class Peers:
    """The two simulators that spikes are simulated with most."""

    nest: Peer = NEST
    brian2: Peer = BRIAN2


def find_peers(nest_python: str | None = None, brian2_python: str | None = None) -> Peers:
    """Look for the peers in the interpreters named, else in this one.

    The variables SPIKEMESH_NEST_PYTHON and SPIKEMESH_BRIAN2_PYTHON name interpreters as well.

    Raises
    ------
    DataError
        If a named interpreter does not exist or lacks the peer.
    """
    return Peers(_find(NEST, nest_python), _find(BRIAN2, brian2_python))


def _find(peer: Peer, named: str | None) -> Peer:
    named = named or os.environ.get(f"SPIKEMESH_{peer.module.upper()}_PYTHON")
    python = named or sys.executable
    if shutil.which(python) is None:
        raise DataError(
            f"{peer.name}: there is no interpreter '{python}'; name one that has it ({peer.how})"
        )
    code = f"import importlib.util as u, sys; sys.exit(u.find_spec({peer.module!r}) is None)"
    there = subprocess.run([python, "-c", code], check=False).returncode == 0
    if named and not there:
        raise DataError(f"{peer.name} is not installed for '{python}': {peer.how}")
    return Peer(peer.name, peer.module, peer.how, python if there else None)
