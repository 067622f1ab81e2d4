"""The packet network under synthetic loads: latency and accepted rate against the offered one.

A run is one curve (a pattern, a routing function, a router), the load at which such a network
saturates, or the speed of the simulator itself.
`make reproduce` runs those of `docs/results/network.md`, among them the configurations for which
figures of BookSim 2 are at hand.

Source of the comparison: N. Jiang et al., A detailed and flexible cycle-accurate network-on-chip
simulator, ISPASS 2013.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from experiments.experiment import Context, Experiment
from experiments.settings import require, setting

__all__ = ["EXPERIMENT", "Config"]


@dataclass(frozen=True)
class Config:
    """The settings; the defaults are the first column of the comparison with BookSim 2."""

    study: Literal["curve", "speed", "saturation"] = setting("curve", "what is done")
    mesh: str = setting("8x8", "columns x rows", unit="cores")
    pattern: str = setting("uniform", "where packets go")
    routing: str = setting("xy", "routing function")
    lanes: int = setting(1, "buffers for each virtual channel of the routing function")
    flits: int = setting(1, "length of a packet", unit="flits")
    buffer_flits: int = setting(8, "of each virtual channel", unit="flits")
    routing_cycles: int = setting(1, "stage of route computation; 0 = look-ahead", unit="cycles")
    rates: tuple[float, ...] = setting(
        (0.005, 0.05, 0.1, 0.15), "offered", unit="flits per core and cycle"
    )
    warm_up: int = setting(5_000, "before the measurement", unit="cycles")
    cycles: int = setting(20_000, "of the measurement", unit="cycles")

    def __post_init__(self) -> None:
        for name, least in (("lanes", 1), ("flits", 1), ("buffer_flits", 1), ("cycles", 100)):
            value = getattr(self, name)
            require(value >= least, name, value, f"at least {least}")
        for name in ("routing_cycles", "warm_up"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        require(len(self.rates) > 0, "rates", self.rates, "one number or more")
        most = self.flits
        right = all(0 < rate <= most for rate in self.rates)
        require(right, "rates", self.rates, f"above 0 and at most {most}")


def run(config: Config, context: Context) -> Mapping[str, object]:
    """One study; see the module's text."""
    from experiments.network_parts import curves

    studies = {
        "curve": curves.measure_curve,
        "speed": curves.measure_speed,
        "saturation": curves.measure_saturation,
    }
    return studies[config.study](config, context)


EXPERIMENT = Experiment(
    name="network",
    summary="packets on a mesh: latency against load, saturation, or the speed of the simulator",
    config=Config,
    run=run,
)
