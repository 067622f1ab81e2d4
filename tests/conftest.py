"""What every test shares: a hypothesis profile without wall-clock limits, and no display."""

from __future__ import annotations

import os

from hypothesis import settings

# Compilation makes the first example of a property arbitrarily slow, and a test must not measure
# time; a continuous-integration run must draw the same examples every time.
settings.register_profile("spikemesh", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("spikemesh")

os.environ.setdefault("MPLBACKEND", "Agg")
