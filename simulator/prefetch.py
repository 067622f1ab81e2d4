"""Asking for memory before it is needed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic, overload

__all__ = ["prefetch", "prefetch_entry", "prefetch_to_write"]


def prefetch(rows, r):
    """Have the first lines of ``rows[r]``, a row of floats, fetched; nothing in Python."""


def prefetch_entry(values, k):
    """Have the line of ``values[k]`` fetched, to be read; nothing in Python."""


def prefetch_to_write(values: Any, k: int) -> None:
    """Have the line of ``values[k]`` fetched, to be written; nothing in Python."""


_LINES = 3
_DOUBLES_A_LINE = 8


def _fetch(rows: Any, r: Any, lines: int, write: int) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        array = cgutils.create_struct_proxy(kind)(context, builder, value=arguments[0])
        stride = builder.extract_value(array.strides, 0)
        if kind.layout == "C" and kind.ndim == 1:
            stride = stride.type(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
        byte, integer = ir.IntType(8), ir.IntType(32)
        first = builder.gep(
            builder.bitcast(array.data, byte.as_pointer()), [builder.mul(arguments[1], stride)]
        )
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte.as_pointer(), integer, integer, integer]),
            "llvm.prefetch.p0",
        )
        for line in range(lines):
            place = builder.gep(first, [ir.Constant(ir.IntType(64), 8 * _DOUBLES_A_LINE * line)])
            # To be written (1) or read, to be kept (3), data (1).
            builder.call(function, [place, *(ir.Constant(integer, k) for k in (write, 3, 1))])
        return context.get_dummy_value()

    return types.none(rows, types.intp), generate


@intrinsic
def _fetch_row(typing_context: Any, rows: Any, r: Any) -> Any:
    return _fetch(rows, r, _LINES, 1)


@intrinsic
def _fetch_entry(typing_context: Any, values: Any, k: Any) -> Any:
    return _fetch(values, k, 1, 0)


@intrinsic
def _fetch_to_write(typing_context: Any, values: Any, k: Any) -> Any:
    return _fetch(values, k, 1, 1)


@overload(prefetch)
def _prefetch(rows, r):
    def compiled(rows, r):
        _fetch_row(rows, r)  # type: ignore[call-arg]

    return compiled


@overload(prefetch_entry)
def _prefetch_entry(values, k):
    def compiled(values, k):
        _fetch_entry(values, k)  # type: ignore[call-arg]

    return compiled


# For kernels that count no references.
@overload(prefetch_to_write, jit_options={"_nrt": False})  # type: ignore[typeddict-unknown-key]
def _prefetch_to_write(values, k):
    def compiled(values, k):
        _fetch_to_write(values, k)  # type: ignore[call-arg]

    return compiled
