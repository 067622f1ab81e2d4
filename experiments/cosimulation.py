"""A network under congestion: its spikes travel over a mesh whose bandwidth is falling.

`network=wtcrl` learns patches of digits with its neurons spread over the cores; what was learned is
tested on the mesh and without latency. `network=brunel` is the sparse random network of 12,500
neurons. The fewer cycles the machine makes in a millisecond of the network, the later and the more
irregularly its packets arrive: latency, disorder, and what they do to errors and rates, are the
results. `cycles_per_ms=none` is a machine that takes no time.

The networks are those of Fois & Girau, Front. Comput. Neurosci. 17:1250908 (2023), and of Brunel,
J. Comput. Neurosci. 8 (2000).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from experiments.experiment import Context, Experiment
from experiments.settings import require, setting

__all__ = ["EXPERIMENT", "Config"]


@dataclass(frozen=True)
class Config:
    """The settings."""

    network: Literal["wtcrl", "brunel"] = setting("wtcrl", "what runs on the mesh")
    mesh: str = setting("4x4", "columns x rows of cores")
    cycles_per_ms: float | None = setting(
        128.0, "of the machine, in a ms of the network; none = it takes no time"
    )
    routing: str = setting("xy", "routing function; see mapping.routing_names()")
    lanes: int = setting(4, "buffers for each virtual channel of the routing function")
    multicast: str = setting(
        "none", "trees that spikes branch along; see mapping.multicast_names(); none = no branches"
    )
    data: Literal["mnist", "embedded", "fashion"] = setting("embedded", "wtcrl: images")
    presentations: int = setting(2_000, "wtcrl: patches that are trained on")
    tested: int = setting(500, "wtcrl: patches of the test images that are tested on")
    afferent_delay: float = setting(0.1, "wtcrl: of the synapses of the encoder", unit="ms")
    lateral_delay: float = setting(0.1, "wtcrl: of the inhibition", unit="ms")
    duration_ms: float = setting(200.0, "brunel: simulated time", unit="ms")
    settling_ms: float = setting(50.0, "brunel: left out of what is measured", unit="ms")

    def __post_init__(self) -> None:
        require(self.clock > 0, "cycles_per_ms", self.cycles_per_ms, "a number > 0, or none")
        for name in ("lanes", "presentations", "tested"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("afferent_delay", "lateral_delay", "settling_ms"):
            value = getattr(self, name)
            require(math.isfinite(value) and value >= 0, name, value, "a finite number >= 0")
        require(
            math.isfinite(self.duration_ms) and self.duration_ms > self.settling_ms,
            "duration_ms",
            self.duration_ms,
            "a finite time > settling_ms",
        )

    @property
    def machine(self) -> dict[str, Any]:
        """Options of `mapping.CoSimulation`."""
        return {
            "cycles_per_ms": self.clock,
            "routing": self.routing,
            "lanes": self.lanes,
            "multicast": None if self.multicast == "none" else self.multicast,
        }

    @property
    def clock(self) -> float:
        """Cycles per ms, infinity for a machine that takes no time."""
        return math.inf if self.cycles_per_ms is None else self.cycles_per_ms


def run(config: Config, context: Context) -> Mapping[str, object]:
    """Run one network at one bandwidth; see the module's text."""
    if config.network == "wtcrl":
        from experiments.cosimulation_parts.learning import learn_on_a_mesh

        results = learn_on_a_mesh(config, context)
    else:
        from experiments.cosimulation_parts.balanced import balance_on_a_mesh

        results = balance_on_a_mesh(config, context)
    finite = {k: v if math.isfinite(v) else None for k, v in results.items()}
    context.table(
        f"{config.network} on a {config.mesh} mesh at {config.clock:g} cycles per ms",
        ("measure", "value"),
        [(name, "-" if value is None else f"{value:.4g}") for name, value in finite.items()],
    )
    return finite


EXPERIMENT = Experiment(
    "cosimulation",
    "spikes as packets of a mesh under congestion, and what that does to a network",
    Config,
    run,
)
