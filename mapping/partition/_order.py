"""Sorting inside kernels: numba's own takes longer to compile than the kernels that need it."""

from __future__ import annotations

from typing import Any

from mapping.kernel_part import kernel_part

__all__ = ["sort_ascending"]


@kernel_part
def sort_ascending(values: Any, first: int, last: int) -> None:
    """Sort ``values[first:last]`` in place: heap sort."""
    size = last - first
    start = size // 2
    while size > 1:
        if start > 0:  # still building the heap
            start -= 1
            sinking = values[first + start]
        else:
            size -= 1
            sinking = values[first + size]
            values[first + size] = values[first]
        parent = start
        while True:
            child = 2 * parent + 1
            if child >= size:
                break
            if child + 1 < size and values[first + child + 1] > values[first + child]:
                child += 1
            if values[first + child] <= sinking:
                break
            values[first + parent] = values[first + child]
            parent = child
        values[first + parent] = sinking
