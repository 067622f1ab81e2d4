"""Asking for memory before it is needed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload

__all__ = ["prefetch"]


def prefetch(rows, r):
    """Have the first lines of ``rows[r]``, a row of floats, fetched; nothing in Python."""


_LINES = 3
_DOUBLES_A_LINE = 8


@intrinsic
def _fetch(typing_context: Any, rows: Any, r: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = cgutils.create_struct_proxy(kind)(context, builder, value=arguments[0])
        stride = builder.extract_value(array.strides, 0)
        byte, integer = ir.IntType(8), ir.IntType(32)
        first = builder.gep(
            builder.bitcast(array.data, byte.as_pointer()), [builder.mul(arguments[1], stride)]
        )
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte.as_pointer(), integer, integer, integer]),
            "llvm.prefetch.p0",
        )
        for line in range(_LINES):
            place = builder.gep(first, [ir.Constant(ir.IntType(64), 8 * _DOUBLES_A_LINE * line)])
            # To be written (1), to be kept (3), data (1).
            builder.call(function, [place, *(ir.Constant(integer, k) for k in (1, 3, 1))])
        return context.get_dummy_value()

    return types.none(rows, types.intp), generate


@overload(prefetch)
def _prefetch(rows, r):
    def compiled(rows, r):
        _fetch(rows, r)  # type: ignore[call-arg]

    return compiled
