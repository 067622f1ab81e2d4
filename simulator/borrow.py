"""Tuples of arrays by reference and without reference counts, for one call of a compiled kernel.

numba counts references to arrays with atomic instructions; passed through the many small functions
of an event loop they took two thirds of its time.  A borrowed array has no owner to count: the
caller of the kernel keeps it alive.  numba also passes tuples by value, every array as seven
arguments, which made two thirds of the loop's code and of the time to compile it; a borrowed tuple
is one pointer to a local copy.  Once everything is inlined, both are gone.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.imputils import lower_builtin, lower_getattr_generic
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate, infer, infer_getattr
from numba.core.typing.templates import signature as typing_signature
from numba.extending import intrinsic, models, overload, register_model

__all__ = ["borrow"]


def borrow(value):
    """The same nested tuple of arrays, by reference and not counted; identity in Python."""
    return value


class _Reference(types.Type):
    """A pointer to a tuple; fields and entries read as those of the tuple."""

    _numbers: dict[Any, int] = {}  # noqa: RUF012  short names make short symbols

    def __init__(self, target: Any) -> None:  # a numba tuple type
        self.target = target
        super().__init__(f"Reference{self._numbers.setdefault(target, len(self._numbers))}")

    @property
    def key(self) -> Any:
        return self.name  # of what would be hashed anew, field by field, at every call typed

    def entry(self, k: int) -> Any:
        """Type of an entry as it is read: tuples by reference too."""
        kind = self.target.types[k]
        return _Reference(kind) if isinstance(kind, types.BaseTuple) else kind


@register_model(_Reference)
class _ReferenceModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: _Reference) -> None:
        target = manager.lookup(kind.target).get_value_type()
        super().__init__(manager, kind, target.as_pointer())


@infer_getattr
class _Fields(AttributeTemplate):
    key = _Reference

    def generic_resolve(  # type: ignore[override]
        self, reference: Any, name: Any
    ) -> Any:
        fields = getattr(reference.target, "fields", ())
        return reference.entry(fields.index(name)) if name in fields else None


def _read(builder: Any, kind: _Reference, pointer: Any, k: int) -> Any:
    place = cgutils.gep_inbounds(builder, pointer, 0, k)
    return place if isinstance(kind.entry(k), _Reference) else builder.load(place)


@lower_getattr_generic(_Reference)
def _field(context: Any, builder: Any, kind: _Reference, pointer: Any, name: str) -> Any:
    return _read(builder, kind, pointer, kind.target.fields.index(name))


@infer
class _Entries(AbstractTemplate):
    key = "static_getitem"

    def generic(self, args: Any, kws: Any) -> Any:
        reference, k = args
        if isinstance(reference, _Reference) and isinstance(k, int):
            return typing_signature(reference.entry(k), *args)
        return None


@lower_builtin("static_getitem", _Reference, types.Any)
def _entry(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    pointer, k = arguments
    return _read(builder, signature.args[0], pointer, k)


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
        stripped = _strip(context, builder, signature.args[0], arguments[0])
        place = cgutils.alloca_once(builder, stripped.type)
        builder.store(stripped, place)
        return place

    return _Reference(value)(value), generate


@overload(borrow, inline="always")  # the copy lives in the frame of the caller
def _borrow(value):
    def compiled(value):
        return _borrowed(value)  # type: ignore[call-arg]

    return compiled
