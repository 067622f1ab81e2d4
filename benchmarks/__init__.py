"""Speed and memory, measured as ratios: against peers when they are installed, else against plain
ways of doing the same here.  ``spikemesh bench`` runs the ladder; one rung is one file."""
