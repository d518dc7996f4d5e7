"""Calls for asyncio that are made where no loop runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import CoroutineType


def when_awaited(
    call: Callable[..., Awaitable[Any]], positional: tuple[Any, ...], named: dict[str, Any]
) -> CoroutineType[Any, Any, Any]:
    """A coroutine that makes the call when a loop runs it, as one of an async function would."""

    async def later() -> Any:
        asyncio.get_running_loop()  # raises RuntimeError where none runs yet
        return await call(*positional, **named)

    coroutine = cast("CoroutineType[Any, Any, Any]", later())
    coroutine.__name__ = call.__name__
    coroutine.__qualname__ = call.__qualname__
    return coroutine
