"""Experiments: one file per reproduced result, and the run directory and commands around them."""
