"""Sends handwritten digits to examples/demo_service.py and says how that went.

    python examples/demo_load.py --url http://127.0.0.1:8000 --rate 1000 --seconds 10

The load is open-loop: arrival times are drawn beforehand (Poisson) and a request's latency counts
from its arrival time, also where no connection was free. The images are those that the model was
not trained on. Batch sizes and the times of queue, compute and telemetry are read from /metrics.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import signal
import sys
from collections import deque
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import numpy as np

from demo_metrics import EngineNumbers, Samples, engine_numbers, parse_metrics
from digits_data import held_out

MAX_CONNECTIONS = 512
WARM_UP_REQUESTS = 100
LAST_ANSWERS_SECONDS = 5.0


@dataclass
class Tally:
    """What came back."""

    scheduled: int = 0
    answered: int = 0
    correct: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies: list[float] = field(default_factory=list)
    digits: dict[int, int] = field(default_factory=dict)
    """The answer for each image, by its index."""
    changed_answers: int = 0
    """Answers that differ from an earlier one for the same image."""


class Connection(asyncio.Protocol):
    """A keep-alive connection with at most one request on it."""

    def __init__(self, load: Load) -> None:
        """Belongs to `load`, which gets the answers."""
        self.load = load
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.image = -1
        self.arrival = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Is ready for a request."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def send(self, image: int, arrival: float) -> None:
        """Sends one request; `arrival` is when it was due, on the loop's clock."""
        assert self.transport is not None
        self.image, self.arrival = image, arrival
        self.transport.write(self.load.requests[image])

    def data_received(self, data: bytes) -> None:
        """Hands over a whole answer and takes the next request that waits for a connection."""
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
        self.buffer = b""
        image, self.image = self.image, -1
        self.load.answer(self, image, self.arrival, int(head[9:12]), body)

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that is still due will not come."""
        self.load.lost(self)


class Load:
    """An open-loop load on one host and port. Single-owner: everything runs on one event loop."""

    def __init__(self, host: str, port: int, images: np.ndarray, labels: np.ndarray) -> None:
        """Prepares a request for each image: (n, 64) pixels with n labels."""
        self.host, self.port = host, port
        self.labels = [int(label) for label in labels]
        self.requests = [self._request(pixels) for pixels in images.reshape(len(labels), 64)]
        self.tally = Tally()
        self.idle: list[Connection] = []
        self.waiting: deque[tuple[int, float]] = deque()
        self.connections = 0
        self.in_flight = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def _request(self, pixels: np.ndarray) -> bytes:
        body = json.dumps({"image": [float(pixel) for pixel in pixels]}).encode()
        head = (
            f"POST /predict HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def start(self, image: int, arrival: float) -> None:
        """Sends an image now, or as soon as a connection is free."""
        self.tally.scheduled += 1
        self.in_flight += 1
        if self.idle:
            self.idle.pop().send(image, arrival)
            return
        self.waiting.append((image, arrival))
        if self.connections < MAX_CONNECTIONS:
            self.connections += 1
            task = asyncio.get_running_loop().create_task(self._connect())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: Connection(self), self.host, self.port
            )
        except OSError:
            self.connections -= 1
            if self.waiting:
                self.waiting.popleft()
                self._failed()
            return
        self._next(connection)

    def _next(self, connection: Connection) -> None:
        if self.waiting:
            connection.send(*self.waiting.popleft())
        else:
            self.idle.append(connection)

    def _failed(self) -> None:
        self.in_flight -= 1
        self.tally.statuses[0] = self.tally.statuses.get(0, 0) + 1

    def answer(
        self, connection: Connection, image: int, arrival: float, status: int, body: bytes
    ) -> None:
        """Notes an answer and reuses its connection."""
        tally = self.tally
        self.in_flight -= 1
        tally.statuses[status] = tally.statuses.get(status, 0) + 1
        if status == 200:
            tally.latencies.append(asyncio.get_running_loop().time() - arrival)
            digit = json.loads(body)["digit"]
            tally.answered += 1
            tally.correct += digit == self.labels[image]
            if tally.digits.setdefault(image, digit) != digit:
                tally.changed_answers += 1
        self._next(connection)

    def lost(self, connection: Connection) -> None:
        """Forgets a closed connection; a request on it has failed."""
        self.connections -= 1
        if connection in self.idle:
            self.idle.remove(connection)
        if connection.image >= 0:
            self._failed()

    async def run(self, arrivals: np.ndarray, stop: asyncio.Event) -> float:
        """Sends request i at arrivals[i] seconds from now until `stop`. Returns the seconds."""
        loop = asyncio.get_running_loop()
        order = np.random.default_rng(7).permutation(len(self.labels)).tolist()
        begin = loop.time() + 0.01
        for number, offset in enumerate(arrivals.tolist()):
            due = begin + offset
            delay = due - loop.time()
            if delay > 0:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(stop.wait(), delay)
            elif number % 64 == 0:
                await asyncio.sleep(0)  # behind schedule: let answers in
            if stop.is_set():
                break
            self.start(order[number % len(order)], due)
        seconds = loop.time() - begin
        give_up = loop.time() + LAST_ANSWERS_SECONDS
        while self.in_flight and loop.time() < give_up:
            await asyncio.sleep(0.005)
        if self.in_flight:
            self.tally.statuses[0] = self.tally.statuses.get(0, 0) + self.in_flight
        return seconds

    def close(self) -> None:
        """Closes every connection that is idle and stops connecting."""
        for task in self.tasks:
            task.cancel()
        for connection in self.idle:
            if connection.transport is not None:
                connection.transport.close()
        self.idle.clear()


async def read_metrics(host: str, port: int) -> Samples:
    """Returns the samples of GET /metrics."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        raise SystemExit(f"nothing answers on {host}:{port} ({error.strerror})") from None
    writer.write(
        f"GET /metrics HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode()
    )
    reply = await asyncio.wait_for(reader.read(-1), 10)
    writer.close()
    head, _, body = reply.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise SystemExit(f"GET /metrics answered {head[:40]!r}")
    return parse_metrics(body.decode())


@dataclass(frozen=True)
class Result:
    """The run in numbers; times in seconds."""

    interrupted: bool
    seconds: float
    rate_asked: float
    warm_up: int
    scheduled: int
    answered: int
    statuses: dict[int, int]
    accuracy: float
    images: int
    changed_answers: int
    client_latency: dict[str, float]
    engine: EngineNumbers


def quantiles(latencies: list[float]) -> dict[str, float]:
    """Returns P50, P95 and P99, exact; NaN without an answer."""
    values = np.asarray(latencies or [np.nan])
    return {f"p{q}": float(np.percentile(values, q)) for q in (50, 95, 99)}


def milliseconds(values: dict[str, float]) -> str:
    """Formats P50, P95, P99."""
    return "   ".join(f"{name.upper()} {value * 1e3:.2f} ms" for name, value in values.items())


def table(result: Result, url: str) -> str:
    """Returns what the user reads at the end."""
    engine = result.engine
    others = {status: n for status, n in result.statuses.items() if status != 200}
    refused = ", ".join(f"{n} x {status or 'no answer'}" for status, n in sorted(others.items()))
    correct = round(result.accuracy * result.images) if result.images else 0
    rows = [
        ("requests", f"{result.scheduled:,} sent, {result.answered:,} answered"),
        ("not answered", refused or "none"),
        (
            "rate",
            f"{result.scheduled / max(result.seconds, 1e-9):,.0f} /s for {result.seconds:.1f} s"
            f" (asked for {result.rate_asked:,.0f} /s)",
        ),
        ("accuracy", f"{result.accuracy:.2%} ({correct} of {result.images} held-out images)"),
        ("mean batch size", f"{engine.mean_batch_size:.2f} ({engine.batches:,} batches)"),
        ("latency, client", milliseconds(result.client_latency)),
        ("latency, engine", milliseconds(engine.latency)),
        ("queue, mean", f"{engine.queue_mean * 1e6:,.0f} us a request"),
        ("compute, mean", f"{engine.compute_mean * 1e6:,.0f} us a batch"),
        ("telemetry", f"{engine.telemetry_share:.3%} of compute"),
        ("metrics", f"{url}/metrics"),
    ]
    rule = "-" * 78
    return "\n".join([rule, *(f"{name:<18}{value}" for name, value in rows), rule])


async def progress(load: Load, seconds: float) -> None:
    """Prints a line once a second: over itself on a terminal, else every five seconds."""
    terminal = sys.stdout.isatty()
    for elapsed in itertools.count(1):
        await asyncio.sleep(1)
        tally = load.tally
        recent = quantiles(tally.latencies[-2000:])
        text = (
            f"{elapsed:5} of {seconds:.0f} s   {tally.scheduled:>8,} sent   "
            f"{tally.answered:>8,} answered   P99 {recent['p99'] * 1e3:7.2f} ms"
        )
        if terminal:
            print(f"\r{text}", end="", flush=True)
        elif elapsed % 5 == 0:
            print(text, flush=True)


async def run(url: str, rate: float, seconds: float, seed: int) -> Result:
    """Warms up, loads the service, reads its metrics before and after."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    images, labels = held_out()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    warm_up = Load(host, port, images, labels)
    await warm_up.run(np.arange(WARM_UP_REQUESTS) * 1e-3, stop)
    warm_up.close()
    before = await read_metrics(host, port)

    load = Load(host, port, images, labels)
    count = int(rate * seconds * 1.2) + 100
    arrivals = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))
    reporter = loop.create_task(progress(load, seconds))
    took = await load.run(arrivals[arrivals < seconds], stop)
    reporter.cancel()
    if sys.stdout.isatty():
        print()
    load.close()
    after = await read_metrics(host, port)
    tally = load.tally
    right = sum(digit == load.labels[image] for image, digit in tally.digits.items())
    return Result(
        interrupted=stop.is_set(),
        seconds=took,
        rate_asked=rate,
        warm_up=warm_up.tally.scheduled,
        scheduled=tally.scheduled,
        answered=tally.answered,
        statuses=dict(tally.statuses),
        accuracy=right / len(tally.digits) if tally.digits else float("nan"),
        images=len(tally.digits),
        changed_answers=tally.changed_answers,
        client_latency=quantiles(tally.latencies),
        engine=engine_numbers(before, after),
    )


def main() -> int:
    """Runs the load; 0 if every request was answered, 130 if interrupted, else 1."""
    parser = argparse.ArgumentParser(description="Send held-out digits at an open-loop rate.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where the service listens")
    parser.add_argument("--rate", type=float, default=1000.0, help="requests a second, on average")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to send")
    parser.add_argument("--seed", type=int, default=1, help="of the arrival times")
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    arguments = parser.parse_args()
    if arguments.rate <= 0 or arguments.seconds <= 0:
        parser.error("--rate and --seconds must be positive")
    with contextlib.suppress(ImportError):
        import uvloop

        uvloop.install()
    url = arguments.url.rstrip("/")
    result = asyncio.run(run(url, arguments.rate, arguments.seconds, arguments.seed))
    if result.interrupted:
        print(f"interrupted after {result.seconds:.1f} s; so far:")
    print(table(result, url), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(result)), encoding="utf-8")
    if result.interrupted:
        return 130
    return 0 if result.answered == result.scheduled else 1


if __name__ == "__main__":
    sys.exit(main())
