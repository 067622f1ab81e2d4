"""Closures that tie the engine's kernels to the models and rules of one network.

numba compiles a function for the functions it closes over, so specialising needs no generated
source: a kernel for several models is a chain of ``if``s built from closures, and a parameter
record is unpacked from a row of numbers the same way.  Every function returned here also runs as
plain Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import Any

from numba.extending import register_jitable

__all__ = ["choose", "digest", "record_from"]


def record_from(record: Any) -> Callable[[Any], Any]:
    """``unpack(row)`` -> ``record(row[0], row[1], ...)`` for a named tuple class.

    ``row`` is a vector of parameters, or a matrix whose rows become the fields.
    """

    @register_jitable
    def nothing(row):  # type: ignore[no-untyped-def]
        return ()

    def prepend(k: int, rest: Any) -> Any:
        @register_jitable
        def from_k(row):  # type: ignore[no-untyped-def]
            return (row[k], *rest(row))

        return from_k

    fields = nothing
    for k in reversed(range(len(record._fields))):
        fields = prepend(k, fields)

    @register_jitable
    def unpack(row):  # type: ignore[no-untyped-def]
        return record(*fields(row))

    return unpack


def choose(functions: Sequence[Callable[..., Any]], default: Callable[..., Any]) -> Any:
    """``pick(blocks, k, *args)`` -> ``functions[k](blocks[k], *args)``.

    ``blocks`` is a tuple of arrays whose types may differ.  ``default(*args)`` is only there so
    that an empty sequence can be compiled; it is called for a ``k`` that does not exist.
    """

    @register_jitable
    def last(blocks, k, *args):  # type: ignore[no-untyped-def]
        return default(*args)

    def test(g: int, function: Any, rest: Any) -> Any:
        function = register_jitable(function)

        @register_jitable
        def pick(blocks, k, *args):  # type: ignore[no-untyped-def]
            if k == g:
                return function(blocks[g], *args)
            return rest(blocks, k, *args)

        return pick

    default = register_jitable(default)
    chain = last
    for g in reversed(range(len(functions))):
        chain = test(g, functions[g], chain)
    return chain


def digest(*objects: Any) -> str:
    """A digest of the sources of modules, classes and the modules that classes live in.

    numba's disk cache looks at the file of the outermost function only; closing over this text
    makes an edit of a model or of a helper compile anew.
    """
    seen: set[str] = set()
    state = blake2b(digest_size=12)
    for thing in objects:
        module = thing if isinstance(thing, ModuleType) else inspect.getmodule(thing)
        file = getattr(module, "__file__", None)
        if file is None:  # defined at a prompt: its own source must do
            try:
                state.update(inspect.getsource(thing).encode())
            except OSError:
                state.update(repr(thing).encode())
        elif file not in seen:
            seen.add(file)
            state.update(Path(file).read_bytes())
    return state.hexdigest()
