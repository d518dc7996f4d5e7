"""Engines that live, so that the interpreter can end and notebooks can replace them."""

from __future__ import annotations

import atexit
import weakref
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from inferometer._core import Registry

# How long a model that runs at interpreter exit may take to come back.
_EXIT_GRACE_SECONDS = 1.0


class Closable(Protocol):
    """What is remembered of an engine."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> str:
        """Its version."""
        ...

    def close(self, grace: float = ...) -> bool:
        """Ends it."""
        ...

    def drain(self, timeout: float = ...) -> bool:
        """Finishes what was accepted."""
        ...


_live: weakref.WeakSet[Closable] = weakref.WeakSet()
_registries: weakref.WeakKeyDictionary[Closable, Registry] = weakref.WeakKeyDictionary()


def remember(engine: Closable, registry: Registry | None) -> None:
    """Has the engine closed at interpreter exit, and found by ``replace_earlier``."""
    _live.add(engine)
    if registry is not None:
        _registries[engine] = registry


def replace_earlier(name: str, version: str, registry: Registry | None) -> None:
    """Drains and closes the engine of this name and version in this registry, if one lives."""
    if registry is None:
        return
    for engine in list(_live):
        if (engine.name, engine.version) == (name, version) and (
            _registries.get(engine) is registry
        ):
            engine.drain()
            engine.close()


# Runs before the interpreter is taken apart: workers that call Python must have ended by then.
@atexit.register
def _close_all() -> None:
    for engine in list(_live):
        engine.close(_EXIT_GRACE_SECONDS)
