"""The peers: batchers as one writes them in 25 lines. All gather up to 64 rows, none waits."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Model = Callable[[Array], Array]
MAX_BATCH: Final = 64


class InlineBatcher:
    """Runs the model on the event loop, once a turn. Used on one loop."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._waiting: list[tuple[Array, asyncio.Future[Array]]] = []

    async def infer(self, x: Array) -> Array:
        """The answer to one row."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Array] = loop.create_future()
        self._waiting.append((x, future))
        if len(self._waiting) == 1:
            loop.call_soon(self._flush, loop)
        return await future

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        if self._waiting:
            loop.call_soon(self._flush, loop)
        answer = self._model(np.concatenate([x for x, _ in batch]))
        for i, (_, future) in enumerate(batch):
            if not future.done():
                future.set_result(answer[i : i + 1])


class ThreadBatcher:
    """Runs the model in a thread; a batch gathers while another one computes. Used on one loop."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._waiting: list[tuple[Array, asyncio.Future[Array]]] = []
        self._serving: asyncio.Task[None] | None = None
        self._executor = ThreadPoolExecutor(1)

    async def infer(self, x: Array) -> Array:
        """The answer to one row."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Array] = loop.create_future()
        self._waiting.append((x, future))
        if self._serving is None:
            self._serving = loop.create_task(self._serve(loop))
        return await future

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            rows = np.concatenate([x for x, _ in batch])
            answer = await loop.run_in_executor(self._executor, self._model, rows)
            for i, (_, future) in enumerate(batch):
                if not future.done():
                    future.set_result(answer[i : i + 1])
        self._serving = None

    def close(self) -> None:
        """Ends the thread."""
        self._executor.shutdown()


class ThreadedBatcher:
    """For callers that block: a thread takes what there is. Thread-safe."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._queue: queue.SimpleQueue[tuple[Array, Future[Array]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def infer(self, x: Array) -> Array:
        """The answer to one row."""
        future: Future[Array] = Future()
        self._queue.put((x, future))
        return future.result()

    def _serve(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    self._queue.put(None)
                    break
                batch.append(following)
            answer = self._model(np.concatenate([x for x, _ in batch]))
            for i, (_, future) in enumerate(batch):
                future.set_result(answer[i : i + 1])

    def close(self) -> None:
        """Ends the thread, once it has served what was there before."""
        self._queue.put(None)
        self._thread.join()
