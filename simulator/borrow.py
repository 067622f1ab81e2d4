"""Arrays without reference counts, for the time of one call of a compiled kernel.

numba counts references to arrays with atomic instructions; passed through the many small functions
of an event loop they took two thirds of its time.  A borrowed array has no owner to count: the
caller of the kernel keeps it alive.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload

__all__ = ["borrow"]


def borrow(value):
    """The same array, or nested tuple of arrays, without reference counting; identity in Python."""
    return value


def _strip(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    if isinstance(kind, types.Array):
        array = cgutils.create_struct_proxy(kind)(context, builder, value=value)
        array.meminfo = ir.Constant(array.meminfo.type, None)
        array.parent = ir.Constant(array.parent.type, None)
        return array._getvalue()
    parts = getattr(kind, "types", ()) if isinstance(kind, types.BaseTuple) else ()
    for k, part in enumerate(parts):
        old = builder.extract_value(value, k)
        value = builder.insert_value(value, _strip(context, builder, part, old), k)
    return value


@intrinsic
def _borrowed(typing_context: Any, value: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _strip(context, builder, signature.args[0], arguments[0])

    return value(value), generate


@overload(borrow)
def _borrow(value):
    def compiled(value):
        return _borrowed(value)  # type: ignore[call-arg]

    return compiled
