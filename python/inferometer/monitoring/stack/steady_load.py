"""A load with a constant rate of arrivals, as many independent users make it.

    python -m inferometer.monitoring.stack.steady_load --url http://127.0.0.1:8000 --rate 20

Users who wait for their answer before they ask again would send hardly anything to a slow service,
and its few slow answers would drown among the fast ones before them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

MOST_IN_FLIGHT = 400
ANSWER_SECONDS = 60.0
DIGITS_MODEL = "resnet_model"

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def infer_body(name: str, shape: Sequence[int], values: Sequence[float]) -> bytes:
    """A request of the KServe v2 protocol with one FP32 input."""
    tensor = {"name": name, "shape": list(shape), "datatype": "FP32", "data": list(values)}
    return json.dumps({"inputs": [tensor]}).encode()


class SteadyLoad:
    """POSTs bodies to a URL in turn at a constant rate, whether or not answers have come.

    It runs on a thread of its own while its ``with`` block does. Leaving the block gives up on what
    has not been answered.

    Args:
        url: Where to.
        bodies: JSON texts, sent one after the other, again and again.
        rate: Requests a second.

    Attributes:
        sent: How many requests have begun.
        statuses: How many were answered with each status; 0: not answered.
        skipped: How many were not sent because 400 were in flight.
        slowest: Seconds of the slowest answer.
    """

    def __init__(self, url: str, bodies: Sequence[bytes], rate: float) -> None:
        if not rate > 0:
            raise ValueError(f"rate: got {rate!r}, want requests a second, more than 0")
        if not bodies:
            raise ValueError("bodies: got none, want at least one")
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"url: got {url!r}, want one that begins with http://")
        self.sent = 0
        self.skipped = 0
        self.slowest = 0.0
        self.statuses: Counter[int] = Counter()
        self._host, self._port = parts.hostname, parts.port or 80
        self._requests = [
            (
                f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            ).encode()
            + body
            for body in bodies
        ]
        self._interval = 1 / rate
        self._idle: list[_Streams] = []
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

    def summary(self) -> dict[str, object]:
        """What came of it so far."""
        return {
            "sent": self.sent,
            "skipped": self.skipped,
            "statuses": {str(status): n for status, n in sorted(self.statuses.items())},
            "slowest_seconds": round(self.slowest, 3),
        }

    async def _send(self) -> None:
        begin = time.monotonic()
        flying: set[asyncio.Task[None]] = set()
        for number in itertools.count():
            due = begin + number * self._interval
            # Woken often enough to notice the end at a low rate.
            while (left := due - time.monotonic()) > 0 and not self._stop.is_set():
                await asyncio.sleep(min(left, 0.1))
            if self._stop.is_set():
                break
            if len(flying) >= MOST_IN_FLIGHT:
                self.skipped += 1
                await asyncio.sleep(0)
                continue
            self.sent += 1
            request = self._requests[number % len(self._requests)]
            task = asyncio.create_task(self._request(request))
            flying.add(task)
            task.add_done_callback(flying.discard)
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
        for _, writer in self._idle:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _request(self, request: bytes) -> None:
        begin = time.monotonic()
        status = 0
        with contextlib.suppress(OSError, asyncio.TimeoutError, EOFError, ValueError):
            status = await asyncio.wait_for(self._exchange(request), ANSWER_SECONDS)
        self.statuses[status] += 1
        self.slowest = max(self.slowest, time.monotonic() - begin)

    async def _exchange(self, request: bytes) -> int:
        while self._idle:  # one that the server has closed meanwhile is no use
            reader, writer = self._idle.pop()
            if not reader.at_eof() and not writer.is_closing():
                break
            writer.close()
        else:
            reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if b"connection: close" in head:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(head.split(b" ", 2)[1])


def digit_bodies() -> list[bytes]:
    """Requests with scikit-learn's handwritten digits, for ``resnet_model``.

    Raises:
        ImportError: scikit-learn is not here.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise ImportError("digits come from scikit-learn: pip install scikit-learn") from None
    return [infer_body("image", (1, 1, 8, 8), row.tolist()) for row in load_digits().data]


def main(argv: Sequence[str] | None = None) -> int:
    """Sends digits until SIGTERM or Ctrl-C; a line every minute says what came of it."""
    parser = argparse.ArgumentParser(description="Send handwritten digits at a constant rate.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the service listens")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second (default 20)")
    arguments = parser.parse_args(argv)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Not set by the handler itself: this thread may hold the event's lock just then.
        signal.signal(number, lambda *_: threading.Thread(target=ended.set).start())
    url = f"{arguments.url.rstrip('/')}/v2/models/{DIGITS_MODEL}/infer"
    try:
        load = SteadyLoad(url, digit_bodies(), arguments.rate)
    except (ImportError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    with load:
        while not ended.wait(60.0):
            print(json.dumps(load.summary()), flush=True)
    print(json.dumps(load.summary()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
