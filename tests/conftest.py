"""What every test shares: hypothesis without wall-clock limits, no display, an ear for Ctrl-C."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

# Compilation makes the first example of a property arbitrarily slow, and a test must not measure
# time; a continuous-integration run must draw the same examples every time.
settings.register_profile("spikemesh", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("spikemesh")

os.environ.setdefault("MPLBACKEND", "Agg")

# A shell starts its background jobs with SIGINT ignored, and tests of Ctrl-C need to hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
