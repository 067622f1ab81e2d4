"""Compiling while Python's search for cycles of garbage waits.

numba makes millions of objects that live until a large function is compiled; looking through them
for cycles again and again takes a tenth of the time (docs/decisions/0013-cold-compile.md).
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from numba.core.compiler import Compiler

__all__ = ["UncollectedCompiler"]


class UncollectedCompiler(Compiler):
    """numba's compiler, for the outermost function of a large kernel; a ``pipeline_class``."""

    def compile_extra(self, func: Callable[..., Any]) -> Any:
        """Compile the function and all that it calls."""
        enabled = gc.isenabled()
        gc.disable()
        try:
            return super().compile_extra(func)  # type: ignore[no-untyped-call]
        finally:
            if enabled:
                gc.enable()
