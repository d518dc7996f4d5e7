"""Many scrapes at once of a registry that never stands still, and forks in the middle of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pytest

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics, parse_text
from inferometer.prometheus import REGISTRY, Counter, Gauge, Histogram
from python_collectors import OPENMETRICS, PROTOBUF

SCRAPERS = 64
SCRAPES_EACH = 2
FORKS = 10
X = np.ones((1, 2), np.float32)

Totals = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def eager_switching() -> Iterator[None]:
    """Threads take turns more often than usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def of_parsed(families: Iterable[Any]) -> Totals:
    """What may never fall, of families that prometheus_client's parsers read; each series once."""
    found: Totals = {}
    seen: set[Any] = set()
    for family in families:
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in seen, f"{key} comes twice"
            seen.add(key)
            if sample.name.endswith(("_total", "_count", "_bucket")):
                found[key] = sample.value
    return found


def of_protobuf(families: Iterable[Any]) -> Totals:
    """The same of protobuf's messages, under the names of the text formats."""
    found: Totals = {}
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    for family in families:
        for metric in family.metric:
            labels = tuple(sorted((label.name, label.value) for label in metric.label))
            if metric.HasField("counter"):
                assert (family.name, labels) not in found
                found[family.name, labels] = metric.counter.value
            elif metric.HasField("histogram"):
                histogram = metric.histogram
                found[family.name + "_count", labels] = histogram.sample_count
                natives = native_count(histogram)
                assert natives in (None, histogram.sample_count)
                assert histogram.bucket[-1].cumulative_count <= histogram.sample_count
    return found


def native_count(histogram: Any) -> int | None:
    """All observations in the native buckets; None without such."""
    if not histogram.positive_span:
        return None
    total = int(histogram.zero_count)
    for deltas in (histogram.positive_delta, histogram.negative_delta):
        count = 0
        for delta in deltas:
            count += delta
            total += count
    return total


FORMATS: tuple[tuple[str, Callable[[bytes], Totals]], ...] = (
    ("text/plain;version=0.0.4", lambda body: of_parsed(parse_text(body))),
    ("text/plain;version=1.0.0", lambda body: of_parsed(parse_text(body))),
    (OPENMETRICS, lambda body: of_parsed(parse_openmetrics(body))),
    (PROTOBUF, lambda body: of_protobuf(parse_delimited(body))),
)


class Churn:
    """Threads that change the default registry until their ``with`` block ends.

    What is called ``steady`` only ever grows; everything else comes and goes.
    """

    _numbers = itertools.count()

    def __init__(self) -> None:
        registry = im.default_registry()
        number = next(self._numbers)
        self.prefix = f"churn{number}"
        self.counter = registry.counter(f"{self.prefix}_steady", "h", ["a"])
        self.histogram = registry.histogram(
            f"{self.prefix}_steady_seconds", "h", buckets=[1, 2], native_histograms=True
        )
        self.dropin = Counter(f"{self.prefix}_steady_dropin", "h", ["a"])
        self.recorded = [0, 0]
        self._done = threading.Event()
        self._errors: list[BaseException] = []
        self._threads = [
            threading.Thread(target=self._repeat, args=(change,))
            for change in (
                lambda i: self._record(0, i),
                lambda i: self._record(1, i),
                self._change_series,
                self._change_dropins,
                self._change_engines,
            )
        ]

    def __enter__(self) -> Churn:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()
        REGISTRY.unregister(self.dropin)
        assert not self._errors, self._errors

    def _repeat(self, change: Callable[[int], None]) -> None:
        i = 0
        try:
            while i == 0 or not self._done.is_set():
                change(i)
                i += 1
        except BaseException as error:
            self._errors.append(error)

    def _record(self, index: int, i: int) -> None:
        self.counter.labels(i % 3).inc()
        self.dropin.labels(str(i % 3)).inc(exemplar={"trace_id": "t"} if i % 10 == 0 else None)
        self.histogram.observe(i % 4)
        self.recorded[index] += 1

    def _change_series(self, i: int) -> None:
        registry = im.default_registry()
        if i < 10:  # families of im.Registry are for ever
            made = registry.gauge(f"{self.prefix}_passing_{i}", "h", ["a"])
            made.labels("x").set(i)
        self.counter.labels("passing").inc()
        self.counter.remove("passing")

    def _change_dropins(self, i: int) -> None:
        kind = (Counter, Gauge, Histogram)[i % 3]
        metric: Any = kind(f"{self.prefix}_passing_dropin", "h", ["a"])
        try:
            child = metric.labels("x")
            child.observe(1) if kind is Histogram else child.inc()
            metric.remove("x")
            metric.labels("y")
            if i % 2:
                metric.clear()
        finally:
            REGISTRY.unregister(metric)

    def _change_engines(self, i: int) -> None:
        version = str(2 + i % 2)
        with im.Engine(lambda x: x, name=f"{self.prefix}_steady", version=version) as engine:
            engine.infer(X, trace_id="t")


def test_sixty_four_scrapers_read_whole_expositions_and_nothing_falls() -> None:
    bodies: list[list[bytes]] = [[] for _ in range(SCRAPERS)]
    errors: list[BaseException] = []
    together = threading.Barrier(SCRAPERS)

    def scrape(index: int, url: str) -> None:
        """Half of them call, half of them ask the listener."""
        accept = FORMATS[index % len(FORMATS)][0]
        try:
            together.wait(60)
            for _ in range(SCRAPES_EACH):
                if index // len(FORMATS) % 2:
                    bodies[index].append(im.render_metrics(accept=accept)[0])
                    continue
                request = urllib.request.Request(url, headers={"Accept": accept})
                with urllib.request.urlopen(request, timeout=60) as reply:
                    bodies[index].append(reply.read())
        except BaseException as error:
            errors.append(error)

    with (
        contextlib.closing(im.serve_metrics(0)) as listener,
        Churn() as churn,
        # Holds the series that versions 2 and 3, which come and go, record into as well.
        im.Engine(lambda x: x, name=f"{churn.prefix}_steady") as engine,
    ):
        engine.infer(X)
        threads = [
            threading.Thread(target=scrape, args=(index, listener.url)) for index in range(SCRAPERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors, errors

    steady = f"{churn.prefix}_steady"
    for index, of_one in enumerate(bodies):
        before: Totals = {}
        for body in of_one:
            after = FORMATS[index % len(FORMATS)][1](body)
            kept = {
                key: value
                for key, value in after.items()
                if (key[0].startswith(steady) or ("model_name", steady) in key[1])
                and ("a", "passing") not in key[1]
            }
            assert len(kept) > 20 - 10 * (index % len(FORMATS) == 3)
            assert all(kept[key] >= value for key, value in before.items())
            before = kept

    registry = im.default_registry()
    recorded = sum(churn.recorded)
    assert recorded > 0
    assert registry.sample_value(f"{steady}_seconds_count") == recorded
    values = [registry.sample_value(f"{steady}_total", {"a": str(a)}) for a in range(3)]
    assert sum(value or 0 for value in values) == recorded
    dropin = [churn.dropin.labels(str(a))._value.get() for a in range(3)]
    assert sum(dropin) == recorded
    families = {family.name: family for family in parse_delimited(registry.render(PROTOBUF)[0])}
    assert native_count(families[f"{steady}_seconds"].metric[0].histogram) == recorded


# CPython 3.12 and later warn about every fork of a process with threads, which is the point here.
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_scrapes_and_registers_whatever_its_parents_threads_were_at() -> None:
    def use(prefix: str) -> bool:
        im.default_registry().counter(f"{prefix}_child", "h").inc()
        Counter(f"{prefix}_child_dropin", "h").inc()
        for accept, parse in FORMATS:
            found = parse(im.render_metrics(accept=accept)[0])
            for name in (f"{prefix}_child_total", f"{prefix}_child_dropin_total"):
                assert found[name, ()] == 1, name
        return True

    with Churn() as churn:
        for _ in range(FORKS):
            child = os.fork()
            if child == 0:
                signal.signal(signal.SIGALRM, signal.SIG_DFL)  # pytest-timeout has one
                signal.alarm(30)  # ends a child that hangs
                passed = False
                try:
                    passed = use(churn.prefix)
                finally:
                    os._exit(0 if passed else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert im.default_registry().sample_value(f"{churn.prefix}_child_total") is None
