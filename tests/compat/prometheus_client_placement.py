"""A pytest plugin: puts inferometer.prometheus where the tests look for prometheus_client.

The real package cannot be imported afterwards, so that nothing of it can be under test unnoticed.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections import namedtuple
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

OURS = "inferometer.prometheus"
THEIRS = "prometheus_client"
SUBMODULES = (
    "asgi",
    "context_managers",
    "core",
    "exposition",
    "gc_collector",
    "metrics",
    "metrics_core",
    "openmetrics",
    "openmetrics.exposition",
    "platform_collector",
    "process_collector",
    "registry",
    "samples",
    "validation",
)

ArgSpec = namedtuple("ArgSpec", "args varargs varkw defaults")


def getargspec(function: Any) -> ArgSpec:
    """What the tests of decorators look at signatures with."""
    spec = inspect.getfullargspec(function)
    return ArgSpec(spec.args, spec.varargs, spec.varkw, spec.defaults)


class RefuseTheRealPackage:
    """Finds no module of prometheus_client that is not placed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Refuses names of the real package."""
        if name.split(".")[0] == THEIRS:
            raise ModuleNotFoundError(f"{name} is not placed: see {__file__}", name=name)
        return None


def place() -> None:
    """Fills sys.modules."""
    sys.modules[THEIRS] = importlib.import_module(OURS)
    for name in SUBMODULES:
        sys.modules[f"{THEIRS}.{name}"] = importlib.import_module(f"{OURS}.{name}")
    decorator = ModuleType(f"{THEIRS}.decorator")
    decorator.getargspec = getargspec  # type: ignore[attr-defined]
    sys.modules[decorator.__name__] = decorator
    sys.meta_path.insert(0, RefuseTheRealPackage())


def misplaced(modules: Sequence[ModuleType]) -> list[str]:
    """What in these test modules, or in sys.modules, is the real package's."""
    found = [
        f"{module.__name__}.{name}"
        for module in modules
        for name, value in vars(module).items()
        if str(getattr(value, "__module__", "")).split(".")[0] == THEIRS
    ]
    for name in SUBMODULES:
        module = sys.modules[f"{THEIRS}.{name}"]
        if module.__name__ != f"{OURS}.{name}":
            found.append(module.__name__)
    real = [
        name
        for name, module in sys.modules.items()
        if f"/{THEIRS}/" in str(getattr(module, "__file__", ""))
    ]
    return found + real


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported."""
    place()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fails the whole run if something of the real package is under test."""
    modules = {item.module for item in session.items if isinstance(item, pytest.Function)}
    found = misplaced(list(modules))
    if found:
        raise pytest.UsageError(f"of the real {THEIRS}: {', '.join(found)}")
    print(f"\nplaced: {', '.join(f'{THEIRS}.{name}' for name in SUBMODULES)}")
