"""Scrapes a second and their latency: our listener against prometheus_client's, in one run.

Both serve 10,000 counters from a process of their own to a client that reads raw bytes from kept
connections (prometheus_client closes them: it speaks HTTP/1.0) and does nothing else. Rounds of
both alternate. Prints a JSON line for each server and number of connections.
"""

from __future__ import annotations

import json
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Final

SERIES: Final = 10_000
ROUNDS: Final = 5
SCRAPES_A_ROUND: Final = {"inferometer": 200, "prometheus_client": 8}
CONNECTIONS: Final = (1, 16)
REQUEST: Final = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"

SERVERS: Final = {
    "inferometer": """
import inferometer as im
registry = im.Registry()
family = registry.counter("hits", "Hits.", ["path"])
for i in range({series}):
    family.labels(f"/{{i}}").inc(i)
print(im.serve_metrics(0, registry=registry).port, flush=True)
input()
""",
    "prometheus_client": """
from prometheus_client import CollectorRegistry, Counter, disable_created_metrics, start_http_server
disable_created_metrics()
registry = CollectorRegistry()
family = Counter("hits", "Hits.", ["path"], registry=registry)
for i in range({series}):
    family.labels(f"/{{i}}").inc(i)
server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
print(server.server_port, flush=True)
input()
""",
}


class Scraper:
    """One client; connects again where the server closes. Single-owner."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: socket.socket | None = None
        self._buffer = bytearray(1 << 20)

    def scrape(self) -> int:
        """Reads one reply; returns the bytes of its body."""
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._connection.sendall(REQUEST)
        head = b""
        while b"\r\n\r\n" not in head:
            head += self._connection.recv(65536)
        head, _, body = head.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise RuntimeError(f"got {head!r}")
        fields = head.lower()
        length = int(fields.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        got = len(body)
        while got < length:
            got += self._connection.recv_into(self._buffer)
        if fields.startswith(b"http/1.0") or b"connection: close" in fields:
            self.close()
        return length

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Measured:
    """What the rounds of one server gave."""

    seconds: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    body_bytes: int = 0


def one_round(port: int, connections: int, scrapes: int, into: Measured) -> None:
    """Scrapes over that many connections, that many times each."""
    latencies: list[list[float]] = [[] for _ in range(connections)]
    start = threading.Barrier(connections + 1)

    def client(own: list[float]) -> None:
        scraper = Scraper(port)
        into.body_bytes = scraper.scrape()  # warm
        start.wait()
        for _ in range(scrapes):
            begin = time.perf_counter()
            scraper.scrape()
            own.append(time.perf_counter() - begin)
        scraper.close()

    threads = [threading.Thread(target=client, args=(own,)) for own in latencies]
    for thread in threads:
        thread.start()
    start.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    into.rates.append(connections * scrapes / (time.perf_counter() - begin))
    into.seconds.extend(second for own in latencies for second in own)


def main() -> None:
    """Measures both servers with each number of connections."""
    chance = random.Random(1)
    processes = {
        name: subprocess.Popen(
            [sys.executable, "-c", program.format(series=SERIES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, program in SERVERS.items()
    }
    try:
        ports = {
            name: int(process.stdout.readline())
            for name, process in processes.items()
            if process.stdout is not None
        }
        for connections in CONNECTIONS:
            measured = {name: Measured() for name in ports}
            for _ in range(ROUNDS):
                order = list(ports)
                chance.shuffle(order)
                for name in order:
                    scrapes = max(2, SCRAPES_A_ROUND[name] // connections)
                    one_round(ports[name], connections, scrapes, measured[name])
            for name, result in measured.items():
                line = {
                    "name": name,
                    "series": SERIES,
                    "connections": connections,
                    "body_bytes": result.body_bytes,
                    "scrapes": len(result.seconds),
                    "scrapes_per_second": statistics.median(result.rates),
                    "latency_median_seconds": statistics.median(result.seconds),
                    "latency_p90_seconds": statistics.quantiles(result.seconds, n=10)[-1],
                }
                print(json.dumps(line), flush=True)
    finally:
        for process in processes.values():
            process.communicate("\n")


if __name__ == "__main__":
    main()
