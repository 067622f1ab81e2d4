"""The load at which a packet network no longer keeps up, found by running it.

What the busiest wire carries bounds the load from above (`NetworkReport.saturation_margin`);
buffers, virtual channels and arbiters keep a network from getting there. The load is multiplied by
factors, each tried on an empty network of the same parameters, until one under which the network
keeps up (see `mapping.network.stability`) and one under which it does not are closer to each other
than the tolerance. Loads within 1 % of saturation cannot be told apart that way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from simulator.errors import MappingError

if TYPE_CHECKING:
    from mapping.network.report import NetworkReport

__all__ = ["Saturation", "search_saturation"]

_SMALLEST = 1e-6


class Saturation(NamedTuple):
    """Where a network stops keeping up.

    Attributes
    ----------
    margin : float
        Largest factor of the load with which the network was seen to keep up; 0 if with none.
    limit : float
        Smallest factor with which it was not, or with which the busiest wire cannot.
    stable_at : float
        [flits per core and cycle] offered at `margin`.
    accepted : float
        [flits per core and cycle] accepted at the smallest factor that was run and was too much;
        NaN if none was.
    runs : int
        That it took.
    """

    margin: float
    limit: float
    stable_at: float
    accepted: float
    runs: int

    def text(self) -> str:
        """One line to read."""
        return (
            f"saturates between {self.margin:.3g} and {self.limit:.3g} times this load "
            f"({self.stable_at:.4f} flits per core, cycle; {self.runs} runs)"
        )


def search_saturation(
    start: NetworkReport,
    run: Callable[[float], NetworkReport],
    tolerance: float,
    most: float,
) -> Saturation:
    """Bisect, on a logarithmic scale, the factor by which a load can be multiplied.

    Parameters
    ----------
    start : NetworkReport
        Of the load itself.
    run : function
        Factor -> the report of the load multiplied by it, on an empty network.
    tolerance : float
        > 0; `limit` is at most 1 + tolerance times `margin` in the end.
    most : float
        Factor that is too much for the busiest wire, or that cannot be run.

    Raises
    ------
    MappingError
        A tolerance that is not positive.
    """
    if not (math.isfinite(tolerance) and tolerance > 0):
        raise MappingError(f"tolerance = {tolerance}; it must be > 0")
    runs, accepted = 1, math.nan
    margin, stable_at, limit = 0.0, 0.0, 1.0
    if start.stable:
        margin, stable_at = 1.0, start.offered
        limit = max(1.0, most)
    else:
        accepted = start.accepted
    while limit > margin * (1.0 + tolerance) and limit > _SMALLEST:
        factor = math.sqrt(margin * limit) if margin > 0 else limit / 2.0
        report = run(factor)
        runs += 1
        if report.stable:
            margin, stable_at = factor, report.offered
        else:
            limit, accepted = factor, report.accepted
    return Saturation(margin, limit, stable_at, accepted, runs)
