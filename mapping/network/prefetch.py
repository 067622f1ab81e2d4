"""Asking for a line of the cache before it is needed.

A network of thousands of routers does not fit into the cache next to a core, and every event is at
another router than the one before: waiting for memory takes most of the time. But the lists of what
happens in a cycle are known, so that the things at the end of a list can be on their way while
those before them are worked on.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from mapping.kernel_part import OPTIONS

__all__ = ["prefetch"]


def prefetch(array: Any, place: int) -> None:
    """Have the line of an array's element fetched; no more than a hint."""


_declare: Any = cgutils.get_or_insert_function
_POINTER = "p0" if binding.llvm_version_info[0] >= 15 else "p0i8"


def _generate(_: Any, array: Any, place: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = context.make_array(signature.args[0])(context, builder, arguments[0])
        address = builder.bitcast(builder.gep(whole.data, [arguments[1]]), cgutils.voidptr_t)
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number])
        hint = _declare(builder.module, kind, f"llvm.prefetch.{_POINTER}")
        to_write, to_keep, data = number(1), number(3), number(1)
        builder.call(hint, [address, to_write, to_keep, data])
        return context.get_dummy_value()

    return types.void(array, types.int64), code


_hint: Any = intrinsic(_generate)


def _compiled_prefetch(array: Any, place: Any) -> Any:
    def one_instruction(array: Any, place: Any) -> None:
        _hint(array, place)

    return one_instruction


_compiled: Any = overload(prefetch, jit_options=OPTIONS)  # type: ignore[arg-type]
_compiled(_compiled_prefetch)
