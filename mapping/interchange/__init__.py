"""Networks and traffic from other programs, and back.

============================  ===============================================================
`traffic_to_networkx`         packets between logical cores as a `networkx.DiGraph`
`traffic_from_networkx`       and back
`write_traffic_csv`           the same as a text file, packets one by one or as multicast
`read_traffic_csv`            and back; errors name the file and the line
`network_from_networkx`       neurons and synapses of a directed graph, to be partitioned
`network_from_nir`            a network of another framework, in the Neuromorphic
                              Intermediate Representation
============================  ===============================================================
"""

from __future__ import annotations

from mapping.interchange.csv_file import read_traffic_csv, write_traffic_csv
from mapping.interchange.networkx_graph import (
    network_from_networkx,
    traffic_from_networkx,
    traffic_to_networkx,
)
from mapping.interchange.nir_network import network_from_nir

__all__ = [
    "network_from_networkx",
    "network_from_nir",
    "read_traffic_csv",
    "traffic_from_networkx",
    "traffic_to_networkx",
    "write_traffic_csv",
]
