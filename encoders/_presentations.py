"""What sources have in common that present one pattern after the other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simulator.errors import ModelError, NetworkError
from simulator.sources import SpikeSource

__all__ = ["Presentations", "check_patterns"]


def check_patterns(patterns: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The patterns as an array of shape (n_patterns, n_values)."""
    given = np.asarray(patterns, dtype=np.float64)
    if given.ndim != 2 or given.size == 0:
        raise ModelError(
            f"patterns of shape {given.shape}; (n_patterns, n_values) is needed, with at least "
            "one of each"
        )
    return given


class Presentations(SpikeSource):
    """Pattern p is on from ``p * period_ms``; after the last one the source is silent.

    Parameters
    ----------
    shape : (n_patterns, n_values)
        Of the array of patterns.
    n_fields : int
        A population of ``n_values * n_fields`` neurons is needed.
    period_ms : float
        From one presentation to the next, ms.
    patterns_per_chunk : int
        How many are encoded at a time; the memory in use grows with it, the spikes do not
        depend on it.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        n_fields: int,
        period_ms: float,
        patterns_per_chunk: int,
    ) -> None:
        if isinstance(patterns_per_chunk, bool) or patterns_per_chunk < 1:
            raise ModelError(f"patterns_per_chunk = {patterns_per_chunk}; at least 1 is needed")
        self.n_patterns, self.n_values = shape
        self._n_fields = n_fields
        self.period_ms = period_ms
        self._per_chunk = patterns_per_chunk
        self.chunk_ms = patterns_per_chunk * period_ms

    @property
    def duration_ms(self) -> float:
        """How long all presentations take, ms."""
        return self.n_patterns * self.period_ms

    def bind(self, name: str, size: int) -> None:
        needed = self.n_values * self._n_fields
        if size != needed:
            fields = f" x {self._n_fields} fields = {needed}" if self._n_fields > 1 else ""
            raise NetworkError(
                f"population {name!r} has {size} neurons; the code needs {self.n_values} values"
                f"{fields}"
            )

    def presented(self, chunk: int) -> range:
        """The patterns of a chunk."""
        first = chunk * self._per_chunk
        return range(min(first, self.n_patterns), min(first + self._per_chunk, self.n_patterns))
