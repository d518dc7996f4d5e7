"""What the routes of a service share: its models, bounds, and whether it is stopping."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import anyio.to_thread
from starlette.requests import Request

from inferometer.serve.body import Bodies
from inferometer.serve.errors import unknown_model
from inferometer.serve.limits import Limits
from inferometer.serve.served_model import ServedModel

_Result = TypeVar("_Result")

# Large bodies that are read at once, and large answers that are written.
_THREADS = 2


class Service:
    """The models of one process and the state that goes with them. Single-owner: one event loop's.

    Args:
        models: What is served.
        limits: What is bounded.
    """

    def __init__(self, models: Sequence[ServedModel], limits: Limits) -> None:
        self.models = {model.name: model for model in models}
        self.limits = limits
        self.bodies = Bodies(limits)
        self.stopping = False
        self._stopped_at: float | None = None
        # To inference requests, by status.
        self.replies: Counter[int] = Counter()
        self._threads: anyio.CapacityLimiter | None = None

    @property
    def ready(self) -> bool:
        """Whether it wants more requests."""
        return not self.stopping and all(model.ready for model in self.models.values())

    def stop(self) -> None:
        """Says that it wants no more requests; takes back faults, which would hold up the rest.

        Called on the event loop.
        """
        self.stopping = True
        self._stopped_at = time.monotonic()
        self.bodies.stop()
        for model in self.models.values():
            if model.faults is not None:
                model.faults.clear()

    def time_left(self, timeout: float) -> float:
        """What is left of a time that begins with ``stop``; before it all of it.

        Args:
            timeout: Seconds.
        """
        if self._stopped_at is None:
            return timeout
        return max(timeout - (time.monotonic() - self._stopped_at), 0.0)

    def find(self, request: Request) -> ServedModel:
        """The model that a request's path names.

        Raises:
            RequestError: There is none of this name, or not in this version.
        """
        name = request.path_params["name"]
        version = request.path_params.get("version")
        model = self.models.get(name)
        if model is None:
            raise unknown_model(name)
        if version is not None and version != model.version:
            raise unknown_model(name, version)
        return model

    async def run(self, size: int, work: Callable[[], _Result]) -> _Result:
        """Does a piece of work: at once if it is small, else on a thread.

        Args:
            size: Bytes that it is about.
            work: The work, which must not block.

        Returns:
            What it returns.
        """
        if size <= self.limits.inline_bytes:
            return work()
        if self._threads is None:  # made inside the running loop that it belongs to
            self._threads = anyio.CapacityLimiter(_THREADS)
        return await anyio.to_thread.run_sync(work, limiter=self._threads)
