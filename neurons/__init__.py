"""Neuron models, one a file; a new model is a new file and nothing else."""

from neurons.lif_exp import LIFExp

__all__ = ["LIFExp"]
