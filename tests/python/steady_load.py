"""A load with a constant rate of arrivals, as many independent users make it."""

from __future__ import annotations

import asyncio
import threading
import time
from types import TracebackType

import httpx


class SteadyLoad:
    """POSTs to a URL at a constant rate, whether or not earlier requests have been answered.

    Users who wait for their answer before they ask again would send hardly anything to a slow
    service, and the few slow answers would drown among the fast ones that went before.

    It runs on a thread while its ``with`` block does; leaving the block waits for every answer.

    Attributes:
        answers: (second of sending since the start, seconds until the answer) of each 200.
        failures: What happened to the others.
    """

    def __init__(self, url: str, rate: float) -> None:
        self.answers: list[tuple[float, float]] = []
        self.failures: list[str] = []
        self._url = url
        self._interval = 1 / rate
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), name="load")

    def __enter__(self) -> SteadyLoad:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    async def _send(self) -> None:
        begin = time.monotonic()
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            requests = []
            while not self._stop.is_set():
                requests.append(asyncio.create_task(self._request(client, begin)))
                due = begin + len(requests) * self._interval
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            await asyncio.gather(*requests)

    async def _request(self, client: httpx.AsyncClient, begin: float) -> None:
        sent = time.monotonic()
        try:
            reply = await client.post(self._url)
        except httpx.HTTPError as error:
            self.failures.append(repr(error))
            return
        if reply.status_code == 200:
            self.answers.append((sent - begin, time.monotonic() - sent))
        else:
            self.failures.append(f"status {reply.status_code}")
