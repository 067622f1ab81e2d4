"""Closures that tie the engine's kernels to the models and rules of one network.

numba compiles a function for the functions it closes over, so specialising needs no generated
source: a kernel for several models is a chain of ``if``s built from closures, and a parameter
record is unpacked from a row of numbers the same way.  Every function returned here also runs as
plain Python.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from simulator.inner import jitable, jitable_once, register_jitable

_PACKAGES = ("simulator", "neurons", "plasticity")

__all__ = ["choose", "digest", "jitable", "record_from", "slices_from"]


# One literal tuple a length: a recursion over the fields would be a function a field to compile.
_ENTRIES: dict[int, Callable[[Any], Any]] = {
    0: lambda r: (),
    1: lambda r: (r[0],),
    2: lambda r: (r[0], r[1]),
    3: lambda r: (r[0], r[1], r[2]),
    4: lambda r: (r[0], r[1], r[2], r[3]),
    5: lambda r: (r[0], r[1], r[2], r[3], r[4]),
    6: lambda r: (r[0], r[1], r[2], r[3], r[4], r[5]),
    7: lambda r: (r[0], r[1], r[2], r[3], r[4], r[5], r[6]),
    8: lambda r: (r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]),
}
_SLICES: dict[int, Callable[[Any, int, int], Any]] = {
    0: lambda r, a, b: (),
    1: lambda r, a, b: (r[0][a:b],),
    2: lambda r, a, b: (r[0][a:b], r[1][a:b]),
    3: lambda r, a, b: (r[0][a:b], r[1][a:b], r[2][a:b]),
    4: lambda r, a, b: (r[0][a:b], r[1][a:b], r[2][a:b], r[3][a:b]),
}
_MOST_ENTRIES, _MOST_SLICES = max(_ENTRIES), max(_SLICES)


def record_from(record: Any) -> Callable[[Any], Any]:
    """``unpack(row)`` -> ``record(row[0], row[1], ...)`` for a named tuple class.

    ``row`` is a vector of parameters, or a matrix whose rows become the fields.
    """
    fields = _entries(len(record._fields))

    @register_jitable
    def unpack(row):
        return record(*fields(row))

    return unpack


def slices_from(record: Any) -> Callable[[Any, int, int], Any]:
    """``unpack(matrix, a, b)`` -> ``record(matrix[0][a:b], matrix[1][a:b], ...)``.

    Loops over such slices start at 0, and numba vectorises them: it need not ask whether an index
    is negative.
    """
    fields = _slices(len(record._fields))

    @register_jitable
    def unpack(matrix, a, b):
        return record(*fields(matrix, a, b))

    return unpack


def _entries(n: int) -> Callable[[Any], Any]:
    first = jitable_once(_ENTRIES[min(n, _MOST_ENTRIES)])
    if n <= _MOST_ENTRIES:
        return first
    rest = _entries(n - _MOST_ENTRIES)

    @register_jitable
    def joined(row):
        return first(row) + rest(row[_MOST_ENTRIES:])

    return joined


def _slices(n: int) -> Callable[[Any, int, int], Any]:
    first = jitable_once(_SLICES[min(n, _MOST_SLICES)])
    if n <= _MOST_SLICES:
        return first
    rest = _slices(n - _MOST_SLICES)

    @register_jitable
    def joined(matrix, a, b):
        return first(matrix, a, b) + rest(matrix[_MOST_SLICES:], a, b)

    return joined


def choose(functions: Sequence[Callable[..., Any]], default: Callable[..., Any]) -> Any:
    """``pick(blocks, k, *args)`` -> ``functions[k](blocks[k], *args)``.

    ``blocks`` is a tuple of arrays whose types may differ; ``k`` must be one of the functions.
    ``default(*args)`` stands in when there are none at all, so that the call can be compiled.
    """
    if not functions:
        default = jitable_once(default)

        @register_jitable
        def never(blocks, k, *args):
            return default(*args)

        return never

    def final(g: int, function: Any) -> Any:
        function = jitable_once(function, forceinline=True)

        @register_jitable(forceinline=True)
        def last(blocks, k, *args):
            return function(blocks[g], *args)

        return last

    def test(g: int, function: Any, rest: Any) -> Any:
        function = jitable_once(function, forceinline=True)

        @register_jitable(forceinline=True)
        def pick(blocks, k, *args):
            if k == g:
                return function(blocks[g], *args)
            return rest(blocks, k, *args)

        return pick

    end = len(functions) - 1
    chain = final(end, functions[end])
    for g in reversed(range(end)):
        chain = test(g, functions[g], chain)
    return chain


def digest(*objects: Any) -> str:
    """A digest of the sources of modules and classes, and of all that they use of our packages.

    numba's disk cache looks at the file of the outermost function only; closing over this text
    makes an edit of a model, or of a helper that it imports, compile anew.
    """
    files: set[str] = set()
    state = blake2b(digest_size=12)
    # A class, with those that it is derived from.
    classes = [thing.__mro__[:-1] if isinstance(thing, type) else (thing,) for thing in objects]
    for thing in (one for line in classes for one in line):
        module = thing if isinstance(thing, ModuleType) else inspect.getmodule(thing)
        if getattr(module, "__file__", None) is None:  # defined at a prompt: its own source must do
            try:
                state.update(inspect.getsource(thing).encode())
            except OSError:
                state.update(repr(thing).encode())
        elif isinstance(module, ModuleType):
            _gather(module, files)
    for file in sorted(files):
        state.update(Path(file).read_bytes())
    return state.hexdigest()


def _gather(module: ModuleType, files: set[str]) -> None:
    """Add the files of a module and of those it takes names from, within our packages or its."""
    file = getattr(module, "__file__", None)
    if file is None or file in files:
        return
    files.add(file)
    ours = {*_PACKAGES, module.__name__.partition(".")[0]}
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        if isinstance(name, str) and name.partition(".")[0] in ours and name in sys.modules:
            _gather(sys.modules[name], files)
