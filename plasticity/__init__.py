"""Plasticity rules, one a file; a new rule is a new file and nothing else."""

from plasticity.aggregate_label import AggregateLabel
from plasticity.dopamine_stdp import DopamineSTDP
from plasticity.exponential_drift import ExponentialDrift
from plasticity.gated_symmetric_stdp import GatedSymmetricSTDP
from plasticity.inhibitory_stdp import InhibitorySTDP
from plasticity.nearest_pair_stdp import NearestPairSTDP
from plasticity.nearest_triplet_stdp import NearestTripletSTDP
from plasticity.pair_stdp import PairSTDP
from plasticity.power_law_stdp import PowerLawSTDP
from plasticity.pre_centred_pair_stdp import PreCentredPairSTDP
from plasticity.restricted_pair_stdp import RestrictedPairSTDP
from plasticity.reward_stdp import RewardSTDP
from plasticity.symmetric_stdp import SymmetricSTDP
from plasticity.triplet_stdp import TripletSTDP
from plasticity.wtcrl import WTCRL

__all__ = [
    "WTCRL",
    "AggregateLabel",
    "DopamineSTDP",
    "ExponentialDrift",
    "GatedSymmetricSTDP",
    "InhibitorySTDP",
    "NearestPairSTDP",
    "NearestTripletSTDP",
    "PairSTDP",
    "PowerLawSTDP",
    "PreCentredPairSTDP",
    "RestrictedPairSTDP",
    "RewardSTDP",
    "SymmetricSTDP",
    "TripletSTDP",
]
