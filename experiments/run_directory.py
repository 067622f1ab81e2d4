"""The run directory: what a run leaves behind, flushed as it goes, readable without this program.

    run.json      experiment, parameters, seed, versions, timings, results, exit state, files
    spikes.h5     spikes in the SONATA layout (`experiments.spike_file`)
    weights.npz   one array per plastic projection
    network.npz   the connectivity (`experiments.network_record`)
    *.png         figures

Every file but `spikes.h5` is replaced whole, so that a run killed at any moment leaves each of them
as it was last written; `spikes.h5` is valid up to its last flush.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from experiments.arrays import read_arrays, write_arrays
from experiments.atomic import json_value, write_atomically, write_json
from experiments.network_record import NetworkRecord
from experiments.provenance import machine, timestamp, versions
from experiments.spike_file import SpikeFileReader, SpikeFileWriter
from simulator.errors import DataError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SCHEMA_VERSION", "RunDirectory"]

SCHEMA_VERSION = 1
RECORD = "run.json"
SPIKES = "spikes.h5"
WEIGHTS = "weights.npz"
NETWORK = "network.npz"


class RunDirectory:
    """One run's directory; make one with `create` or `open`.

    As a context manager it closes `spikes.h5` and writes the exit state: "finished", "interrupted"
    (Ctrl-C) or "failed"; "running" stays behind when the process was killed.

    Attributes
    ----------
    path : pathlib.Path
    record : dict
        The content of `run.json`.
    """

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path = path
        self.record = record
        self._spikes: SpikeFileWriter | None = None

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        experiment: str,
        parameters: Mapping[str, object],
        seed: int,
        overwrite: bool = False,
    ) -> RunDirectory:
        """Make the directory of a new run and write its `run.json`.

        Parameters
        ----------
        path
            A directory; made with its parents if missing. It must be empty, or hold a run that
            `overwrite` allows to delete.
        experiment, parameters, seed
            What is run; recorded.
        overwrite
            Delete the files of the run that is there (and no others).

        Raises
        ------
        DataError
            If the path is not a directory, cannot be written, or holds something already.
        """
        path = Path(path)
        try:
            path.mkdir(parents=True, exist_ok=True)
            present = sorted(entry.name for entry in path.iterdir())
        except (FileExistsError, NotADirectoryError) as error:
            blocking = next(p for p in (path, *path.parents) if p.exists())
            raise DataError(
                f"run directory '{path}': '{blocking}' is a file, not a directory; "
                "choose another place with --out"
            ) from error
        except OSError as error:
            raise DataError(
                f"run directory '{path}' cannot be made: {error.strerror}; "
                "choose a place that can be written with --out"
            ) from error
        if RECORD in present:
            _clear(path, overwrite)
        elif present:
            raise DataError(
                f"run directory '{path}' holds '{present[0]}' and is not the directory of a run; "
                "choose an empty one with --out"
            )
        record = {
            "schema_version": SCHEMA_VERSION,
            "experiment": experiment,
            "state": "running",
            "parameters": json_value(parameters, "parameters"),
            "seed": seed,
            "started": timestamp(),
            "finished": None,
            "simulated_ms": None,
            "versions": versions(),
            "machine": machine(),
            "timings": {},
            "results": {},
            "error": None,
            "files": [],
        }
        directory = cls(path, record)
        directory._wrote(RECORD)
        return directory

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Open the directory of a run that exists, to read it or to add figures to it.

        Raises
        ------
        DataError
            If it is not the directory of a run, or its `run.json` is damaged.
        """
        path = Path(path)
        file = path / RECORD
        if not file.is_file():
            raise DataError(
                f"'{path}' is not a run directory: it has no {RECORD}; "
                "make one with 'spikemesh run EXPERIMENT --out DIR'"
            )
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise DataError(f"'{file}' is damaged: {error}") from error
        if not isinstance(record, dict) or "schema_version" not in record:
            raise DataError(f"'{file}' is damaged: it has no schema_version")
        if record["schema_version"] != SCHEMA_VERSION:
            raise DataError(
                f"'{file}' has schema version {record['schema_version']}; "
                f"this program reads version {SCHEMA_VERSION}"
            )
        if any(Path(name).name != name for name in record.get("files", [])):
            raise DataError(f"'{file}' is damaged: it names files outside of the run directory")
        return cls(path, record)

    # --- writing -------------------------------------------------------------------------------

    def resume(self) -> None:
        """Go on with an interrupted run: its state is "running" again, its spikes are continued.

        Raises
        ------
        DataError
            If the run is finished.
        """
        if self.record["state"] == "finished":
            raise DataError(
                f"the run in '{self.path}' is finished, there is nothing to resume; "
                "use --overwrite to run it again"
            )
        self.record |= {"state": "running", "finished": None, "error": None}
        self._save()

    def update(
        self,
        *,
        results: Mapping[str, object] | None = None,
        timings: Mapping[str, float] | None = None,
        simulated_ms: float | None = None,
    ) -> None:
        """Add to `run.json`, and write it.

        Parameters
        ----------
        results
            By name; a later value replaces an earlier one.
        timings
            Wall time in seconds, by name.
        simulated_ms
            How much time was simulated, in ms: what rates and traffic are counted against.

        Raises
        ------
        DataError
            If a value is NaN or infinite, or has no JSON form.
        """
        for key, values in (("results", results), ("timings", timings)):
            if values is not None:
                self.record[key] = {**self.record[key], **json_value(values, key)}
        if simulated_ms is not None:
            self.record["simulated_ms"] = json_value(simulated_ms, "simulated_ms")
        self._save()

    def declare_populations(self, *names: str) -> None:
        """Make room in `spikes.h5`; cheapest when all populations are named before any spike."""
        self._spike_writer().declare(list(names))

    def append_spikes(
        self, population: str, times_ms: npt.ArrayLike, neuron_indices: npt.ArrayLike
    ) -> None:
        """Add spikes of one population; see `SpikeFileWriter.append`."""
        self._spike_writer().append(population, times_ms, neuron_indices)

    def keep_spikes_until(self, time_ms: float) -> None:
        """Forget recorded spikes after `time_ms`, before resuming from a checkpoint of then."""
        self._spike_writer().keep_until(time_ms)

    def flush(self) -> None:
        """Put the spikes so far on the disk."""
        if self._spikes is not None:
            self._spikes.flush()

    def write_arrays(self, name: str, arrays: Mapping[str, npt.ArrayLike]) -> Path:
        """Write named arrays to `<name>.npz`; see `experiments.arrays`."""
        path = self.path / f"{name}.npz"
        write_arrays(path, arrays)
        return self._wrote(path.name)

    def write_weights(self, weights: Mapping[str, npt.ArrayLike]) -> Path:
        """Write `weights.npz`, one array per projection."""
        return self.write_arrays("weights", weights)

    def write_network(self, network: NetworkRecord) -> Path:
        """Write `network.npz`."""
        network.write(self.path / NETWORK)
        return self._wrote(NETWORK)

    def write_json(self, name: str, content: Mapping[str, object]) -> Path:
        """Write `<name>.json`; the content carries a schema version of its own."""
        path = self.path / f"{name}.json"
        write_json(path, content)
        return self._wrote(path.name)

    def write_figure(self, name: str, figure: Figure, dpi: int = 150) -> Path:
        """Write a matplotlib figure to `<name>.png`."""
        path = self.path / f"{name}.png"
        # No software version inside, so that the same picture is the same file.
        write_atomically(
            path,
            lambda file: figure.savefig(file, format="png", dpi=dpi, metadata={"Software": None}),
        )
        return self._wrote(path.name)

    def close(self, state: str, error: str | None = None) -> None:
        """Close `spikes.h5` and write the exit state to `run.json`."""
        self.record |= {"state": state, "finished": timestamp(), "error": error}
        try:
            if self._spikes is not None:
                self._spikes.close()
        finally:
            self._spikes = None
            self._save()

    def __enter__(self) -> RunDirectory:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close("finished")
        elif isinstance(error, KeyboardInterrupt):
            self.close("interrupted")
        else:
            self.close("failed", f"{type(error).__name__}: {error}")

    # --- reading -------------------------------------------------------------------------------

    @property
    def results(self) -> dict[str, Any]:
        """The results so far."""
        results: dict[str, Any] = self.record["results"]
        return results

    @property
    def simulated_ms(self) -> float | None:
        """Simulated time in ms, if the experiment said so."""
        simulated: float | None = self.record["simulated_ms"]
        return simulated

    def spikes(self) -> SpikeFileReader:
        """Open `spikes.h5` for reading; a context manager."""
        self.flush()
        return SpikeFileReader(self.path / SPIKES)

    def arrays(self, name: str) -> dict[str, npt.NDArray[Any]]:
        """Read `<name>.npz`."""
        return read_arrays(self.path / f"{name}.npz")

    def weights(self) -> dict[str, npt.NDArray[Any]]:
        """Read `weights.npz`."""
        return self.arrays("weights")

    def network(self) -> NetworkRecord:
        """Read `network.npz`."""
        return NetworkRecord.read(self.path / NETWORK)

    def files(self) -> list[Path]:
        """Every file written, in order of first writing."""
        return [self.path / name for name in self.record["files"]]

    def _spike_writer(self) -> SpikeFileWriter:
        if self._spikes is None:
            self._spikes = SpikeFileWriter(self.path / SPIKES)
            self._wrote(SPIKES)
        return self._spikes

    def _wrote(self, name: str) -> Path:
        if name not in self.record["files"]:
            self.record["files"].append(name)
            self._save()
        return self.path / name

    def _save(self) -> None:
        write_json(self.path / RECORD, self.record)


def _clear(path: Path, overwrite: bool) -> None:
    """Delete the files of the run in `path`, if that is allowed."""
    previous = RunDirectory.open(path)
    if not overwrite:
        raise DataError(
            f"run directory '{path}' holds a run already ({previous.record['experiment']}, "
            f"{previous.record['state']}); continue it with --resume, replace it with "
            "--overwrite, or choose another place with --out"
        )
    try:
        # The record goes last: if deleting stops half-way, this is still the directory of a run.
        for file in reversed(previous.files()):
            file.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"cannot delete '{file}': {error.strerror}") from error
