"""Running a coroutine on each kind of event loop that is supported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

Run = Callable[[Coroutine[Any, Any, None]], None]

NEW_LOOP: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}


def runner(kind: str, debug: bool = False) -> Run:
    """What runs a coroutine on a new loop of this kind, and closes that."""

    def run(main: Coroutine[Any, Any, None]) -> None:
        loop = NEW_LOOP[kind]()
        loop.set_debug(debug)
        try:
            loop.run_until_complete(main)
        finally:
            loop.close()

    return run
