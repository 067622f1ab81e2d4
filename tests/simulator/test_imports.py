"""What may import what, and that the description's example runs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import simulator
from tests.doctests import assert_examples_run

ROOT = Path(simulator.__file__).parents[1]
HEAVY = {"matplotlib", "networkx", "h5py", "scipy", "PIL", "mpmath", "typer", "rich"}
OWN = {"simulator", "neurons", "plasticity", "encoders", "mapping", "experiments", "tests"}
# What each package may import of this project, beside itself.
ALLOWED = {
    "simulator": set(),
    "neurons": {"simulator.inner", "simulator.model", "simulator.roots"},
    "plasticity": {
        "simulator.inner",
        "simulator.model",
        "simulator.roots",
        "simulator.trial_rule",
    },
    "encoders": {"simulator"},
}
# And of others, beside the standard library.
LIBRARIES = {
    "simulator": {"numba", "llvmlite", "numpy", "sortedcontainers", "h5py"},
    "neurons": {"numba", "numpy"},
    "plasticity": {"numba", "numpy"},
    "encoders": {"numba", "numpy"},
}


def imported(file: Path) -> Iterator[str]:
    """Modules that a file imports anywhere, inside functions as well."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            assert node.module is not None
            # "from simulator import roots" names a module as well as "from simulator.roots import".
            parts = node.module.split(".")
            inside = ROOT.joinpath(*parts)
            for alias in node.names:
                is_module = (inside / f"{alias.name}.py").exists()
                yield f"{node.module}.{alias.name}" if is_module else node.module


def files(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert len(found) > 2
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_only_what_they_may(package: str) -> None:
    for file in files(package):
        for module in imported(file):
            top = module.split(".")[0]
            if top == package or module in ALLOWED[package] or top in ALLOWED[package]:
                continue
            assert top not in OWN, f"{file.relative_to(ROOT)} imports {module}"
            known = top in sys.stdlib_module_names or top in LIBRARIES[package]
            assert known, f"{file.relative_to(ROOT)} imports {module}"


def modules_after(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    code = f"import sys; {statement}; print(*{{m.split('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return set(done.stdout.split())


def test_importing_the_simulator_loads_no_more_than_it_needs() -> None:
    """Beyond what numba loads itself: it looks at the version of scipy where that is installed."""
    loaded = modules_after("import simulator")
    assert {"simulator", "numpy", "numba"} <= loaded
    loaded -= modules_after("import numba")
    assert loaded.isdisjoint(HEAVY | OWN - {"simulator"})


def test_importing_models_rules_and_encoders_is_as_light() -> None:
    loaded = modules_after("import neurons, plasticity, encoders")
    assert {"neurons", "plasticity", "encoders"} <= loaded
    loaded -= modules_after("import numba")
    assert loaded.isdisjoint(HEAVY | {"mapping", "experiments", "tests"})


def test_public_names_exist_once() -> None:
    assert len(simulator.__all__) == len(set(simulator.__all__))
    for name in simulator.__all__:
        assert getattr(simulator, name) is not None


def test_the_example_of_the_description_runs() -> None:
    assert_examples_run("doctest.testmod(__import__('simulator.network').network)", more_than=8)
