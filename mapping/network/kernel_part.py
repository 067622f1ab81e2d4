"""How the functions of the packet network's kernel are compiled: into one, without bookkeeping.

The tables belong to the caller for as long as a kernel runs and no kernel makes an array, so that
counting references to them, which numba does at every use, is left out: it took most of the time.
"""

from __future__ import annotations

from typing import Any

from simulator.inner import register_jitable

__all__ = ["OPTIONS", "kernel_part", "rare_part"]

OPTIONS: dict[str, Any] = {"error_model": "numpy", "_nrt": False}

kernel_part: Any = register_jitable(forceinline=True, **OPTIONS)
# What most networks never do is left to the compiler to put into its caller or not.
rare_part: Any = register_jitable(**OPTIONS)
