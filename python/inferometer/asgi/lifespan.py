"""Draining engines when the server stops."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

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
    return lifespan_of(engines, drain_timeout, lambda: drain_timeout)


def lifespan_of(
    engines: Sequence[Drainable], drain_timeout: float, time_left: Callable[[], float]
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """A lifespan of a server whose time to drain begins before its applications hear of it.

    Args:
        engines: As those of ``lifespan``.
        drain_timeout: Seconds in all.
        time_left: Says at shutdown how many of them are left.

    Returns:
        As ``lifespan``.
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
            await _end_all(engines, drain_timeout, time_left())

    return context


async def _end_all(engines: Sequence[Drainable], drain_timeout: float, left: float) -> None:
    loop = asyncio.get_running_loop()
    # A thread for each: in a pool with fewer the last engine would wait for the first ones.
    with ThreadPoolExecutor(max(len(engines), 1), "inferometer-end") as threads:
        await asyncio.gather(
            *(
                loop.run_in_executor(threads, _end, engine, drain_timeout, left)
                for engine in engines
            )
        )


def _end(engine: Drainable, drain_timeout: float, left: float) -> None:
    if not engine.drain(left):
        _log.warning("requests were left after %g s of draining; they are ended now", drain_timeout)
    engine.close()
