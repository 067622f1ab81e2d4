"""Find the files of a package by name: adding a file to the folder adds an entry to the list."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from simulator.errors import MappingError

__all__ = ["load", "names"]


def names(package: ModuleType) -> list[str]:
    """Modules of a package, sorted; a leading underscore keeps a file off the list."""
    found = pkgutil.iter_modules(package.__path__)
    return sorted(module.name for module in found if not module.name.startswith("_"))


def load(package: ModuleType, name: str, kind: str, attribute: str) -> object:
    """`attribute` of the package's module `name`; only that module is imported.

    Raises
    ------
    MappingError
        There is no such module (the text lists them), or it lacks the attribute.
    """
    known = names(package)
    if name not in known:
        raise MappingError(f"unknown {kind} {name!r}; there are {', '.join(known)}")
    module = import_module(f"{package.__name__}.{name}")
    if not hasattr(module, attribute):
        raise MappingError(f"{kind} {name!r}: {module.__name__} must define `{attribute}`")
    found: object = getattr(module, attribute)
    return found
