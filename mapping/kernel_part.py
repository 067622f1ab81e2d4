"""How kernels of several functions are compiled: into one, without bookkeeping.

The arrays belong to the caller for as long as a kernel runs and no kernel makes one, so that
counting references to them, which numba does at every use, is left out: it took most of the time,
of compiling and of running. Parts are put into the kernel that calls them, and translated there
only; one that is called with integers of other types is compiled anew for them, which is why
numbers of vertices, cores and nets are made `wide` before they are handed on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from simulator.inner import register_jitable

__all__ = ["OPTIONS", "kernel", "kernel_part", "rare_part", "wide"]

OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False}

kernel: Any = njit(cache=True, **OPTIONS)
kernel_part: Any = register_jitable(forceinline=True, **OPTIONS)
# What is hardly ever done is left to the compiler to put into its caller or not.
rare_part: Any = register_jitable(**OPTIONS)
wide: Any = np.int64
