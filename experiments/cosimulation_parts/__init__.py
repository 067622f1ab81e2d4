"""The parts of the experiment `cosimulation`."""
