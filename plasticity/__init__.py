"""Plasticity rules, one a file; a new rule is a new file and nothing else."""

from plasticity.exponential_drift import ExponentialDrift
from plasticity.symmetric_stdp import SymmetricSTDP
from plasticity.wtcrl import WTCRL

__all__ = ["WTCRL", "ExponentialDrift", "SymmetricSTDP"]
