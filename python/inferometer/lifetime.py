"""Engines that live, so that the interpreter can end and notebooks can replace them."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from typing import TYPE_CHECKING, Protocol

from inferometer._core import ClosedError

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


_lock = threading.Lock()  # of the two collections below
_live: weakref.WeakSet[Closable] = weakref.WeakSet()
_registries: weakref.WeakKeyDictionary[Closable, Registry] = weakref.WeakKeyDictionary()


def remember(engine: Closable, registry: Registry | None) -> None:
    """Has the engine closed at interpreter exit, and found by ``replace_earlier``."""
    with _lock:
        _live.add(engine)
        if registry is not None:
            _registries[engine] = registry


def _all_live() -> list[Closable]:
    with _lock:
        return list(_live)


# Held from closing the engine of a name until the next one of it is there.
_replacing: dict[str, threading.RLock] = {}

# A child has none of the threads that held them.
os.register_at_fork(after_in_child=_replacing.clear)


def replacing(
    replace: object, name: object, version: object
) -> contextlib.AbstractContextManager[object]:
    """To make an engine in: those that replace one of a name and version take turns."""
    if replace is not True:
        return contextlib.nullcontext()
    return _replacing.setdefault(f"{name!r} {version!r}", threading.RLock())


def replace_earlier(name: str, version: str, registry: Registry | None) -> None:
    """Drains and closes the engine of this name and version in this registry, if one lives."""
    if registry is None:
        return
    for engine in _all_live():
        if (engine.name, engine.version) == (name, version) and (
            _registries.get(engine) is registry
        ):
            with contextlib.suppress(ClosedError):  # a forked parent's: not ours to drain
                engine.drain()
            engine.close()


# Runs before the interpreter is taken apart: workers that call Python must have ended by then.
@atexit.register
def _close_all() -> None:
    for engine in _all_live():
        with contextlib.suppress(Exception):  # the next one must be closed all the same
            engine.close(_EXIT_GRACE_SECONDS)
