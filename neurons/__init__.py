"""Neuron models, one a file; a new model is a new file and nothing else.

``noisy_threshold``, ``current_port`` and ``refractory_loss`` are options: each makes a model of a
model, and they can be combined.
"""

from neurons.adex import AdEx
from neurons.concentration import Concentration
from neurons.izhikevich import Izhikevich
from neurons.lif_alpha import LIFAlpha
from neurons.lif_cond import LIFCond
from neurons.lif_delta import LIFDelta
from neurons.lif_exp import LIFExp
from neurons.lif_exp_adaptive import AdaptiveLIFExp
from neurons.option_current import current_port
from neurons.option_noise import noisy_threshold
from neurons.option_refractory_loss import refractory_loss
from neurons.parrot import Parrot
from neurons.srm import SRM

__all__ = [
    "SRM",
    "AdEx",
    "AdaptiveLIFExp",
    "Concentration",
    "Izhikevich",
    "LIFAlpha",
    "LIFCond",
    "LIFDelta",
    "LIFExp",
    "Parrot",
    "current_port",
    "noisy_threshold",
    "refractory_loss",
]
