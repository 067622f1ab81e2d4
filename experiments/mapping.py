"""Networks on a mesh of cores, against what no placement can beat.

Each run is one study: a network partitioned and placed by every method; placement problems whose
best cost is known; the layers of the mapping-limit paper cut as in its tables; its all-to-all
exchange, counted. `make reproduce` runs them all and writes `docs/results/mapping.md`.

Source: Wang et al., Approaching the mapping limit with closed-loop mapping strategy for deploying
neural networks on neuromorphic hardware, Front. Neurosci. 17 (2023).
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
    """The settings; which of them matter depends on the study."""

    study: Literal["network", "qaplib", "planted", "layers", "exchange"] = setting(
        "network", "what is done"
    )
    network: Literal["wtcrl", "dastdp", "brunel", "sheet"] = setting(
        "wtcrl", "for the study 'network'"
    )
    mesh: str | None = setting(None, "columns x rows; none = the network's own", unit="cores")
    instance: str = setting("nug12", "of QAPLIB, for the study 'qaplib'")
    side: int = setting(8, "of the grid, for the study 'planted'", unit="cores")
    torus: bool = setting(False, "whether that grid is closed to a torus")
    partitions: tuple[str, ...] = setting((), "methods; none named = all there are")
    placements: tuple[str, ...] = setting((), "methods; none named = all there are")
    seeds: int = setting(3, "placements of each method, with the seeds from that of the run on")
    other_seeds: int | None = setting(
        None, "of methods other than 'auto' on known problems; none = as many"
    )

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        few = self.other_seeds
        require(few is None or few >= 1, "other_seeds", few, "at least 1, or none")
        require(self.side >= 2, "side", self.side, "at least 2")


def run(config: Config, context: Context) -> Mapping[str, object]:
    """One study; see the module's text."""
    if config.study == "network":
        from experiments.mapping_parts.placing import place_network as study
    elif config.study == "layers":
        from experiments.mapping_parts.layers import partition_layers as study
    elif config.study == "exchange":
        from experiments.mapping_parts.exchanging import exchange_all as study
    else:
        from experiments.mapping_parts.known import place_known as study
    return study(config, context)


EXPERIMENT = Experiment(
    name="mapping",
    summary="networks on a mesh of cores: every partition and placement against the mapping limit",
    config=Config,
    run=run,
)
