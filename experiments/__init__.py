"""Experiments: one file per reproduced result, and the run directory and commands around them."""

from experiments.experiment import Context, Experiment, discover, run_experiment
from experiments.run_directory import RunDirectory
from experiments.settings import setting

__all__ = ["Context", "Experiment", "RunDirectory", "discover", "run_experiment", "setting"]
