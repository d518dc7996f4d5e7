"""Draining engines when the server stops."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_log = logging.getLogger("inferometer")


class Drainable(Protocol):
    """An engine, or a batched function."""

    def drain(self, timeout: float = ...) -> bool:
        """Finishes what was accepted."""
        ...

    def close(self, grace: float = ...) -> bool:
        """Ends it."""
        ...


def lifespan(
    *engines: Drainable, drain_timeout: float = 30.0
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """A lifespan that drains and closes engines at shutdown.

    Args:
        engines: What to drain, all at once, then close.
        drain_timeout: Seconds that accepted requests get to end.

    Returns:
        For ``Starlette(lifespan=...)`` and ``FastAPI(lifespan=...)``. An application with a
        lifespan of its own enters it there: ``async with lifespan(engine)(app): ...``.
    """

    @asynccontextmanager
    async def context(app: Any) -> AsyncIterator[None]:
        if multiprocessing.parent_process() is not None:
            _log.warning(
                "this server is one of several worker processes: each has metrics of its own, and "
                "a scrape sees only the one that answers it (see docs/asgi.md)"
            )
        try:
            yield
        finally:
            loop = asyncio.get_running_loop()
            await asyncio.gather(
                *(loop.run_in_executor(None, _end, engine, drain_timeout) for engine in engines)
            )

    return context


def _end(engine: Drainable, drain_timeout: float) -> None:
    if not engine.drain(drain_timeout):
        _log.warning("requests were left after %g s of draining; they are ended now", drain_timeout)
    engine.close()
