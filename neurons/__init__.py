"""Neuron models, one a file; a new model is a new file and nothing else."""

from neurons.adex import AdEx
from neurons.izhikevich import Izhikevich
from neurons.lif_alpha import LIFAlpha
from neurons.lif_cond import LIFCond
from neurons.lif_delta import LIFDelta
from neurons.lif_exp import LIFExp
from neurons.srm import SRM

__all__ = ["SRM", "AdEx", "Izhikevich", "LIFAlpha", "LIFCond", "LIFDelta", "LIFExp"]
