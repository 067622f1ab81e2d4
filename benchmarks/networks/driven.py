"""A network whose numbers can be turned one by one: Poisson neurons that drive neurons to fire.

The drive holds the potential at threshold on average, whatever rate and number of inputs; the
weight is bounded, so that a single spike at a very low rate does not make a burst.
"""

from __future__ import annotations

from encoders import Poisson
from neurons import LIFExp
from simulator import Network, fixed_in_degree, uniform

__all__ = ["driven"]

LARGEST_WEIGHT = 0.2  # of the threshold


def driven(
    n: int, in_degree: int, rate_hz: float, delay_ms: float, spread_ms: float, seed: int
) -> Network:
    """``n`` sources at ``rate_hz`` and ``n`` neurons with ``in_degree`` inputs each.

    Delays are uniform from ``delay_ms`` to ``delay_ms + spread_ms``, or all ``delay_ms`` when the
    spread is 0.
    """
    model = LIFExp(tau_m=20.0, tau_exc=5.0, tau_inh=10.0, v_th=1.0, t_ref=2.0)
    mean_input = in_degree * rate_hz / 1000.0 * model.parameters.tau_exc
    net = Network(seed=seed)
    sources = net.population("sources", n, Poisson(rate_hz))
    cells = net.population("cells", n, model)
    net.projection(
        sources,
        cells,
        fixed_in_degree(in_degree),
        weight=min(LARGEST_WEIGHT, 1.0 / mean_input),
        delay=uniform(delay_ms, delay_ms + spread_ms) if spread_ms > 0.0 else delay_ms,
    )
    net.record_spikes(cells)
    return net
