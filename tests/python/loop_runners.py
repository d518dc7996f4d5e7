"""Running a coroutine on each kind of event loop that is supported."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import uvloop

import inferometer as im
from gated_model import GatedModel
from inferometer import _core

X = np.ones((1, 2), np.float32)

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


def pending_of(engine: im.Engine, x: Any = X, **options: Any) -> _core.Pending[Any]:
    """A request that is made at once."""
    pending = engine.infer_async(x, **options)
    assert isinstance(pending, _core.Pending)
    return pending


async def entered(model: GatedModel, batches: int) -> None:
    """Waits, without blocking the loop, until so many batches have reached the model."""
    await asyncio.get_running_loop().run_in_executor(None, model.wait_entered, batches)
