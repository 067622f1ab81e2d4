"""Every measure of a mapping, defined once, each with its formula and source.

Notation: c_ij packets from logical core i to j, p(i) the physical core of i, M_ij the shortest
distance in hops between p(i) and p(j), R_ij the links on the route from p(i) to p(j).

=====================  ==========================================================================
`communication_cost`   sum c_ij M_ij
`hops`                 average and maximum hops of a packet
`mapping_limit`        how far a placement is from M_ij = 1, and from what no placement can beat
`added_storage`        how far a partition is from storing nothing twice
`link_loads`           packets over every link; `maximum_link_load`, `link_utilisation`
`network_energy_pj`    energy of all packets, board links included
`core_utilisation`     use of cores and of their capacities
`latency_statistics`   mean, percentiles and maximum of delivery times
`throughput`           accepted packets or flits per core and cycle
`link_busy_share`      share of the time that every link is busy
`interval_distortion`  how much the intervals between spikes change on the way
`spike_disorder`       share of packets that arrive before one that was sent earlier
=====================  ==========================================================================
"""

from __future__ import annotations

from mapping.limit import MappingLimit, mapping_limit
from mapping.metrics.cores import Utilisation, core_utilisation
from mapping.metrics.cost import (
    Hops,
    added_storage,
    communication_cost,
    hops,
    physical_flows,
)
from mapping.metrics.delivery import (
    Latency,
    interval_distortion,
    latency_statistics,
    link_busy_share,
    spike_disorder,
    throughput,
)
from mapping.metrics.energy import link_energy_pj, network_energy_pj
from mapping.metrics.links import (
    AdaptiveRoutingError,
    Loads,
    expected_link_loads,
    link_loads,
    link_utilisation,
    maximum_link_load,
    multicast_link_loads,
)

__all__ = [
    "AdaptiveRoutingError",
    "Hops",
    "Latency",
    "Loads",
    "MappingLimit",
    "Utilisation",
    "added_storage",
    "communication_cost",
    "core_utilisation",
    "expected_link_loads",
    "hops",
    "interval_distortion",
    "latency_statistics",
    "link_busy_share",
    "link_energy_pj",
    "link_loads",
    "link_utilisation",
    "mapping_limit",
    "maximum_link_load",
    "multicast_link_loads",
    "network_energy_pj",
    "physical_flows",
    "spike_disorder",
    "throughput",
]
