"""The measured saturation: bisection against a known threshold, and a wire that is full."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mapping.mesh import Mesh
from mapping.network import PacketNetwork, SyntheticTraffic, packets, run_load, run_packets
from mapping.network.saturation import search_saturation
from simulator.errors import MappingError


@pytest.mark.parametrize("threshold", [0.03, 0.7, 1.0, 1.5, 9.9])
@pytest.mark.parametrize("tolerance", [0.01, 0.3])
def test_the_threshold_lies_in_between(threshold: float, tolerance: float) -> None:
    def run(factor: float) -> Any:
        return SimpleNamespace(
            stable=factor <= threshold,
            offered=0.1 * factor,
            accepted=0.1 * min(factor, threshold),
        )

    found = search_saturation(run(1.0), run, tolerance, 10.0)
    assert found.margin <= threshold <= found.limit <= found.margin * (1 + tolerance)
    assert found.stable_at == pytest.approx(0.1 * found.margin)
    if not np.isnan(found.accepted):
        assert found.accepted == pytest.approx(0.1 * threshold)
    with pytest.raises(MappingError, match=r"tolerance = 0\.0"):
        search_saturation(run(1.0), run, 0.0, 10.0)


def test_one_wire_takes_a_flit_a_cycle() -> None:
    """A packet of a flit every fourth cycle, over one link with lanes enough: four times that."""
    network = PacketNetwork(Mesh(2, 1), lanes=4, seed=3)
    sent = packets(np.arange(0, 16_000, 4), 0, 1)
    report = run_packets(network, sent, saturation_tolerance=0.03)
    found = report.saturation
    assert report.saturation_margin == pytest.approx(4.0, rel=1e-3)
    assert found is not None
    assert 3.8 <= found.margin <= 4.0
    assert found.limit <= found.margin * 1.03
    assert "saturates between" in report.text()
    assert report.to_dict()["saturation"]["runs"] == found.runs
    with pytest.raises(MappingError, match="too few to tell"):
        run_packets(network.like(), packets(np.arange(50), 0, 1), saturation_tolerance=0.1)


def test_a_load_is_multiplied_until_it_is_too_much() -> None:
    mesh = Mesh(4, 4)
    load = SyntheticTraffic(mesh, "uniform", 0.1, seed=1)
    report = run_load(
        PacketNetwork(mesh), load, warm_up=500, cycles=3_000, saturation_tolerance=0.1
    )
    found = report.saturation
    assert found is not None
    assert found.margin > 1
    assert found.limit <= 1.1 * found.margin
    assert found.limit <= 1.06 * report.saturation_margin
    for factor, stable in ((0.8 * found.margin, True), (1.25 * found.limit, False)):
        again = run_load(
            PacketNetwork(mesh), load.scaled(factor), warm_up=500, cycles=3_000, most_drain=500
        )
        assert again.stable == stable
