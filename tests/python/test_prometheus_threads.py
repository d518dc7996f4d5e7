"""inferometer.prometheus on many threads, and in a forked child: nothing lost, nothing torn."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from inferometer.prometheus import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from inferometer.prometheus.openmetrics import exposition as openmetrics

THREADS = 4
ROUNDS = 3000


@pytest.fixture(autouse=True)
def eager_switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def on_threads(work: Callable[[int], object], count: int = THREADS) -> None:
    errors: list[BaseException] = []

    def run(index: int) -> None:
        try:
            work(index)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors


def test_totals_are_exact_while_scraped() -> None:
    registry = CollectorRegistry()
    counter = Counter("c", "h", ["a"], registry=registry)
    gauge = Gauge("g", "h", registry=registry)
    histogram = Histogram("h", "h", buckets=[1, 2], registry=registry)
    done = threading.Event()

    def record(index: int) -> None:
        for i in range(ROUNDS):
            counter.labels(i % 3).inc()
            gauge.inc(2)
            gauge.dec()
            histogram.observe(i % 4, {"t": str(index)} if i % 100 == 0 else None)

    def scrape() -> None:
        seen = 0.0
        while not done.is_set():
            samples = {
                (s.name, s.labels.get("le")): s.value
                for family in text_string_to_metric_families(generate_latest(registry).decode())
                for s in family.samples
            }
            openmetrics.generate_latest(registry)
            assert samples["h_bucket", "+Inf"] == samples["h_count", None]
            assert samples["h_count", None] >= seen
            seen = samples["h_count", None]

    failures: list[BaseException] = []

    def scraper() -> None:
        try:
            scrape()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=scraper)
    thread.start()
    try:
        on_threads(record)
    finally:
        done.set()
        thread.join()
    assert not failures
    total = THREADS * ROUNDS
    assert sum(registry.get_sample_value("c_total", {"a": str(a)}) or 0 for a in range(3)) == total
    assert registry.get_sample_value("g") == total
    assert registry.get_sample_value("h_count") == total
    assert registry.get_sample_value("h_sum") == THREADS * sum(i % 4 for i in range(ROUNDS))


def test_a_child_is_made_once() -> None:
    counter = Counter("c", "h", ["a"], registry=None)
    barrier = threading.Barrier(THREADS)
    children: dict[str, list[Counter]] = {str(i): [] for i in range(50)}

    def first(_: int) -> None:
        for value, made in children.items():
            barrier.wait()
            child = counter.labels(value)
            child.inc()
            made.append(child)

    on_threads(first)
    for value, made in children.items():
        assert len(set(map(id, made))) == 1
        assert counter.labels(value)._value.get() == THREADS


def test_series_never_come_twice_while_removed_and_made() -> None:
    registry = CollectorRegistry()
    counter = Counter("c", "h", ["a"], registry=registry)

    def work(index: int) -> None:
        for i in range(500):
            if index == 0:
                lines = generate_latest(registry).decode().splitlines()
                series = [line.split(" ")[0] for line in lines if line.startswith("c_total")]
                assert len(series) == len(set(series))
            elif index == 1:
                counter.remove("x")
                if i % 50 == 0:
                    counter.clear()
            else:
                counter.labels("x").inc()
                counter.labels(str(i)).inc()

    on_threads(work)


def test_a_forked_child_goes_on() -> None:
    registry = CollectorRegistry()
    counter = Counter("c", "h", ["a"], registry=registry)
    for i in range(2000):
        counter.labels(str(i)).inc()
    done = threading.Event()

    def scrape() -> None:
        while not done.is_set():
            generate_latest(registry)

    thread = threading.Thread(target=scrape)
    thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                counter.labels("new").inc()
                os._exit(0 if b'c_total{a="new"} 1.0' in generate_latest(registry) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        done.set()
        thread.join()
