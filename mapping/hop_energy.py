"""Energy of a packet on its way, with the place each figure comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import MappingError

__all__ = ["LOIHI_HOP_ENERGY", "HopEnergy"]


@dataclass(frozen=True)
class HopEnergy:
    """Energy of moving one packet.

    Attributes
    ----------
    east_west_pj, north_south_pj : float
        [pJ] one hop along a row, along a column.
    local_pj : float
        [pJ] delivery inside a tile, paid once per packet wherever it comes from.
    source : str
        Publication or measurement; an energy without a source is refused.
    board_pj : float or None
        [pJ] one hop from chip to chip, either way; None takes that of a hop inside a chip.
    """

    east_west_pj: float
    north_south_pj: float
    local_pj: float
    source: str
    board_pj: float | None = None

    def __post_init__(self) -> None:
        for name in ("east_west_pj", "north_south_pj", "local_pj", "board_pj"):
            if name == "board_pj" and self.board_pj is None:
                continue
            value = float(getattr(self, name))
            if not (np.isfinite(value) and value >= 0):
                raise MappingError(f"HopEnergy.{name} = {value} pJ; it must be finite and >= 0")
        if not self.source.strip():
            raise MappingError("HopEnergy.source is empty; say where the energies come from")


LOIHI_HOP_ENERGY = HopEnergy(
    east_west_pj=3.0,
    north_south_pj=4.0,
    local_pj=1.7,
    source="Davies et al., Loihi, IEEE Micro 38(1), 2018, table 2 (circuit simulation)",
)
