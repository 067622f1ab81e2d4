"""What every test shares: hypothesis without wall-clock limits, no display, an ear for Ctrl-C, and
a cache of compiled code that two processes may write to.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from hypothesis import settings
from numba.core.caching import IndexDataCacheFile

from simulator import engine
from simulator.needs import Needs

# Compilation makes the first example of a property arbitrarily slow, and a test must not measure
# time; a continuous-integration run must draw the same examples every time.
settings.register_profile("spikemesh", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("spikemesh")

os.environ.setdefault("MPLBACKEND", "Agg")

# A loop is compiled for what a network needs.  Networks that are drawn at random
# need now this, now that: with everything in it one loop serves them all.  That a loop without the
# parts that are not needed gives the same bits is tested in simulator/test_instant_loop.py.
make_loop = engine._event_loop


def whole_loop(models: Any, rules: Any, needs: Needs) -> Any:
    return make_loop(models, rules, Needs())


engine._event_loop = whole_loop  # type: ignore[assignment]

# A shell starts its background jobs with SIGINT ignored, and tests of Ctrl-C need to hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Two processes that add to the same function's cache at once may each take the other's file for
# its own: numba reads the index, chooses a name and writes both, without a lock.
_save = IndexDataCacheFile.save


def save_alone(self: Any, key: Any, data: Any) -> None:
    """Write to a cache while nobody else does."""
    import fcntl

    with open(f"{self._index_path}.lock", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _save(self, key, data)


if "PYTEST_XDIST_WORKER" in os.environ:
    IndexDataCacheFile.save = save_alone
