"""Functions that are compiled as parts of their caller, and not each by itself as well.

numba optimises every function that compiled code calls and turns it into machine code of its own;
then it links the intermediate code into the caller, where it is inlined, optimised and turned into
machine code again.  The event loop is some 150 functions, one within the other: more than half of
the time to compile it went into code that nobody runs (docs/decisions/0013-cold-compile.md).  Here
only the outermost function is optimised and translated, once, with all of its parts in it.

The pipeline of a function is numba's documented extension point; how a library keeps intermediate
code until somebody links it is not.  Where numba has changed that, parts are compiled the usual
way, which takes longer and gives the same results.

What a caller that is inlined calls is inlined too, again at every call.  A part that is large, or
called from many places, and does not run at every delivery is better kept *apart*: one copy, that
is called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import WeakSet

import llvmlite.binding as llvm
from numba import _dynfunc, extending  # type: ignore[attr-defined]
from numba.core import codegen
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

__all__ = ["jitable", "jitable_once", "register_jitable"]

_Library: Any = getattr(codegen, "JITCodeLibrary", object)
# What is used of a library beyond its public functions.
_PRIVATE = ("_final_module", "_finalized", "_linking_libraries", "_reload_init")


def register_jitable(
    function: Callable[..., Any] | None = None, *, apart: bool = False, **options: Any
) -> Any:
    """As numba's: a function to be used inside compiled code, and plain Python outside.

    A decorator, with or without options of :func:`numba.njit`.  A function that is kept ``apart``
    is not inlined; what it calls is.
    """
    compiler = _ApartCompiler if apart else _PartCompiler
    options = {"pipeline_class": compiler, "no_cfunc_wrapper": True, **options}
    decorate = extending.register_jitable(**options)
    return decorate if function is None else decorate(function)


_known: WeakSet[Callable[..., Any]] = WeakSet()


def jitable_once(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """The function, made known to numba unless it is.

    Each time that it is made known is another alternative for numba to try, at every call of it.
    """
    if function not in _known:
        register_jitable(function, **options)
        _known.add(function)
    return function


def jitable(*functions: Callable[..., Any], apart: bool = False) -> list[Any]:
    """The functions, usable inside compiled code and still plain Python outside."""
    return [jitable_once(f, apart=apart) for f in functions]


class _Part(_Library):  # type: ignore[misc]
    """Intermediate code of one function, as numba lowers it, and what it calls."""

    apart: str | None = None  # name of the function, if it must not be inlined

    def finalize(self) -> None:
        """Nothing is optimised or translated."""
        self._finalized = True
        self._whole: Any = None
        for library in self._linking_libraries:
            self._reload_init.update(library._reload_init)

    def _gather(self, found: dict[Any, None]) -> None:
        """Add this library and all that it calls."""
        found[self] = None
        for library in self._linking_libraries:
            if library in found:
                continue
            if isinstance(library, _Part):
                library._gather(found)
            else:
                found[library] = None

    def _get_module_for_linking(self) -> Any:
        """The code of all functions below this one, each of them once."""
        self._ensure_finalized()
        if self._whole is None:
            found: dict[Any, None] = {}
            self._gather(found)
            parts = [library for library in found if isinstance(library, _Part)]
            others = [library for library in found if not isinstance(library, _Part)]
            whole = parts[0]._final_module.clone()
            for part in parts[1:]:
                whole.link_in(part._final_module, preserve=True)
            # These leave out what nobody calls yet, so that they come last.
            for library in others:
                whole.link_in(library._get_module_for_linking(), preserve=True)
            for function in whole.functions:
                if not function.is_declaration and function.linkage == llvm.Linkage.external:
                    function.linkage = "linkonce_odr"  # may be inlined, and dropped
            for part in parts:
                if part.apart is not None:
                    function = whole.get_function(part.apart)
                    function.add_function_attribute("noinline")
                    # Nobody else's, so that what it leaves alone is known to its callers; but
                    # one that is linked for itself is called from outside.
                    if part is not self:
                        function.linkage = "internal"
            self._whole = whole
        return self._whole


@register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(NativeLowering):
    _name = "part_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _Part(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        apart = isinstance(state.pipeline, _ApartCompiler)
        if apart:  # what it calls has been lowered before
            state.flags.forceinline = False
        super().run_pass(state)
        # numba knows a compiled function by the object that Python would call; nobody calls this.
        lowered, context = state["cr"], state.targetctx
        if apart:
            state.library.apart = lowered.fndesc.mangled_name
        name = lowered.fndesc.qualname.rpartition(".")[2]
        module = lowered.fndesc.lookup_module()
        symbol = _dynfunc.make_function(module, name, "", 0, lowered.env, (state.library,))
        context.insert_user_function(symbol, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=symbol)
        return True


class _PartCompiler(CompilerBase):
    """numba's compiler, but for the step after the intermediate code."""

    def define_pipelines(self) -> list[PassManager]:
        usual = DefaultPassBuilder.define_nopython_pipeline(self.state)
        if not _usable(self.state.targetctx.codegen()):
            return [usual]
        passes = PassManager("part")
        for step, description in usual.passes:
            passes.add_pass(_PartLowering if step is NativeLowering else step, description)
        passes.finalize()
        return [passes]


class _ApartCompiler(_PartCompiler):
    """The same for a part that is called, not inlined."""


@lru_cache(maxsize=1)
def _usable(generator: Any) -> bool:
    """Whether numba keeps intermediate code the way that is made use of here."""
    library = generator.create_library("probe")
    return type(library) is _Library and all(hasattr(library, name) for name in _PRIVATE)
