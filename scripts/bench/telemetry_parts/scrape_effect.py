"""What scrapes do to the latency of `await engine.infer_async()`, as its callers see it.

An asyncio program keeps a steady load on the digit classifier, a native model. It has 10,000 series
in the default registry, served by im.serve_metrics, and 10,000 in prometheus_client's, served by
its start_http_server. Short phases follow one another, in an order drawn anew each round: without
scrapes; scrapes of ours; a process that computes for as long as such a scrape takes, to see what
another busy process alone does; and now and then scrapes of theirs. A process of its own scrapes,
or computes, once a second: 15 times as often as Prometheus does unless told otherwise.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import numpy as np
import prometheus_client
from comparison.samples import emit
from listener import Scraper

import inferometer as im
from telemetry_parts.who import APP, BUSY, CLIENT, NOBODY

ROOT: Final = Path(__file__).resolve().parent.parent.parent.parent
SERIES: Final = 10_000
ROUNDS: Final = 24
CLIENT_EVERY: Final = 8  # rounds: its effect is large enough to be seen in a few
PHASE_SECONDS: Final = 2.0
SETTLE_SECONDS: Final = 0.05
SCRAPE_EVERY_SECONDS: Final = 1.0
OTHER_PACES_SECONDS: Final = (0.1, 15)
CALLERS: Final = 16
REQUESTS_A_SECOND: Final = 2000

Span = tuple[float, float]
"""When something began and ended, on the clock that all processes share."""


def compute(seconds: float) -> None:
    """Keeps a core busy."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def scraper() -> None:
    """The scraping process: a line `WHO PORT` is a phase. Answers with its spans, as JSON."""
    scrape_seconds = 0.001
    for line in sys.stdin:
        begin = time.perf_counter()
        who, port = json.loads(line)
        client = Scraper(port)
        spans: list[Span] = []
        for number in range(round(PHASE_SECONDS / SCRAPE_EVERY_SECONDS)):
            due = begin + (number + 0.5) * SCRAPE_EVERY_SECONDS
            time.sleep(max(0.0, due - time.perf_counter()))
            asked = time.perf_counter()
            if who == BUSY:
                compute(scrape_seconds)
            elif who != NOBODY:
                client.scrape()
            spans.append((asked, time.perf_counter()))
        client.close()
        if who == APP:
            scrape_seconds = statistics.median(end - start for start, end in spans)
        print(json.dumps(spans), flush=True)


async def load(engine: im.Engine) -> list[Span]:
    """The requests of a steady load: each caller asks at fixed times, one request at a time."""
    x = np.zeros((1, 1, 8, 8), np.float32)
    requests: list[Span] = []
    begin = time.perf_counter()
    every = CALLERS / REQUESTS_A_SECOND

    async def caller(number: int) -> None:
        due = begin + every * number / CALLERS
        while due < begin + PHASE_SECONDS:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked = time.perf_counter()
            await engine.infer_async(x)
            if asked - begin > SETTLE_SECONDS:
                requests.append((asked, time.perf_counter()))
            due += every

    await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return requests


def p99(latencies: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(latencies, n=100)[98]


@dataclass
class Seen:
    """What the phases of one kind gave, in microseconds."""

    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    p99_of_others: list[float] = field(default_factory=list)
    scrapes: list[float] = field(default_factory=list)
    touched: list[float] = field(default_factory=list)  # latencies of requests beside a scrape
    others: list[float] = field(default_factory=list)

    def add(self, requests: list[Span], scrapes: list[Span]) -> None:
        """Takes in one phase."""
        latencies = [(end - begin) * 1e6 for begin, end in requests]
        self.p50.append(statistics.median(latencies))
        self.p99.append(p99(latencies))
        self.scrapes.extend((end - begin) * 1e6 for begin, end in scrapes)
        others: list[float] = []
        for latency, (begin, end) in zip(latencies, requests, strict=True):
            beside = any(begin < stop and start < end for start, stop in scrapes)
            (self.touched if beside else others).append(latency)
        self.others.extend(others)
        if len(others) > 1:
            self.p99_of_others.append(p99(others))

    def emit(self, who: str) -> None:
        """Hands it on."""
        emit("P99 of infer_async", who, self.p99)
        emit("P50 of infer_async", who, self.p50)
        emit("P99 of untouched requests", who, self.p99_of_others)
        if who == NOBODY:
            return
        emit("scrape", who, [statistics.median(self.scrapes) / 1e3])
        share = len(self.touched) / (len(self.touched) + len(self.others))
        emit("requests touched by a scrape", who, [100 * share])
        emit("P50 of touched requests", who, [statistics.median(self.touched)])
        emit("P99 of touched requests", who, [p99(self.touched)])
        for seconds in OTHER_PACES_SECONDS:
            other = share * SCRAPE_EVERY_SECONDS / seconds
            change = self.p99_with(other) / self.p99_with(0.0) - 1
            emit(f"change of P99 by a scrape every {seconds} s", who, [100 * change])

    def p99_with(self, share: float) -> float:
        """The P99 of all requests if that share of them had been touched by a scrape."""
        weighted = [(latency, (1 - share) / len(self.others)) for latency in self.others]
        weighted += [(latency, share / len(self.touched)) for latency in self.touched]
        above = 0.01
        for latency, weight in sorted(weighted, reverse=True):
            above -= weight
            if above <= 0:
                return latency
        raise RuntimeError("no requests")


def fill(registry: im.Registry) -> None:
    """The series of both, made alike."""
    own = registry.counter("hits", "Hits.", ["path", "code"])
    theirs = prometheus_client.Counter("hits", "Hits.", ["path", "code"])
    for i in range(SERIES):
        own.labels(f"/{i // 10}", str(200 + i % 10)).inc(i)
        theirs.labels(f"/{i // 10}", str(200 + i % 10)).inc(i)


def ask(pipe: IO[str] | None, who: str, port: int) -> None:
    """Begins a phase of the scraping process."""
    assert pipe is not None
    pipe.write(json.dumps([who, port]) + "\n")
    pipe.flush()


def answer(pipe: IO[str] | None) -> list[Span]:
    """What the scraping process did."""
    assert pipe is not None
    return [(begin, end) for begin, end in json.loads(pipe.readline())]


def main() -> None:
    """Runs all phases."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    fill(im.default_registry())
    chance = random.Random(1)
    model = im.onnx.load(ROOT / "model_repository/resnet_model/1/model.onnx")
    server, _ = prometheus_client.start_http_server(0, addr="127.0.0.1")
    seen = {who: Seen() for who in (NOBODY, APP, BUSY, CLIENT)}
    with (
        im.Engine(model, name="digits") as engine,
        im.serve_metrics(0) as listener,
        subprocess.Popen(
            [sys.executable, "-m", "telemetry_parts.scrape_effect", "scraper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        ports = {APP: listener.port, CLIENT: server.server_port}
        asyncio.run(load(engine))  # warm
        for number in range(ROUNDS):
            print(f"P99 while scraped: round {number + 1} of {ROUNDS}", flush=True)
            kinds = [NOBODY, APP, BUSY] + [CLIENT] * (number % CLIENT_EVERY == 0)
            for who in chance.sample(kinds, len(kinds)):
                ask(process.stdin, who, ports.get(who, 0))
                requests = asyncio.run(load(engine))
                seen[who].add(requests, answer(process.stdout))
        process.communicate()
    server.shutdown()
    for who, what in seen.items():
        what.emit(who)


if __name__ == "__main__":
    if sys.argv[1:] == ["scraper"]:
        scraper()
    else:
        main()
