"""Sets of small numbers as the bits of an integer: their lowest member, and the next in turn."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic, overload

from mapping.kernel_part import OPTIONS, kernel_part

__all__ = ["in_turn", "lowest_bit"]


def lowest_bit(bits: int) -> int:
    """The smallest member of a set that is not empty."""
    whole = int(bits)
    return (whole & -whole).bit_length() - 1


def _generate(_: Any, bits: Any) -> Any:
    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        undefined_for_zero = context.get_constant(types.boolean, True)
        return builder.cttz(arguments[0], undefined_for_zero)

    return types.int64(types.int64), code


_trailing_zeros: Any = intrinsic(_generate)


def _compiled_lowest_bit(bits: Any) -> Any:
    def one_instruction(bits: Any) -> Any:
        return _trailing_zeros(bits)

    return one_instruction


_compiled: Any = overload(lowest_bit, jit_options=OPTIONS)  # type: ignore[arg-type]
_compiled(_compiled_lowest_bit)


@kernel_part
def in_turn(bits: int, turn: int) -> int:
    """The first member at or after `turn`, or else the smallest; of a set that is not empty."""
    later = bits >> turn
    if later:
        return lowest_bit(later) + int(turn)
    return lowest_bit(bits)
