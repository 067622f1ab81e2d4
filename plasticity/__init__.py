"""Plasticity rules, one a file; a new rule is a new file and nothing else."""

from plasticity.exponential_drift import ExponentialDrift
from plasticity.inhibitory_stdp import InhibitorySTDP
from plasticity.nearest_pair_stdp import NearestPairSTDP
from plasticity.nearest_triplet_stdp import NearestTripletSTDP
from plasticity.pair_stdp import PairSTDP
from plasticity.power_law_stdp import PowerLawSTDP
from plasticity.symmetric_stdp import SymmetricSTDP
from plasticity.triplet_stdp import TripletSTDP
from plasticity.wtcrl import WTCRL

__all__ = [
    "WTCRL",
    "ExponentialDrift",
    "InhibitorySTDP",
    "NearestPairSTDP",
    "NearestTripletSTDP",
    "PairSTDP",
    "PowerLawSTDP",
    "SymmetricSTDP",
    "TripletSTDP",
]
