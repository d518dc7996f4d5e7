"""Custom collectors in REGISTRY, and the native exposition that shows them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import inferometer as im
from inferometer.prometheus import REGISTRY, core
from polling import wait_until

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
STALE = "inferometer_python_collectors_stale"


class Custom:
    """A collector that gives what a function returns; it does not describe itself."""

    def __init__(self, families: Callable[[], Iterable[Any]]) -> None:
        self._families = families

    def describe(self) -> list[core.Metric]:
        """Nothing: it is not called to learn its names."""
        return []

    def collect(self) -> Iterable[Any]:
        """The families."""
        return self._families()


@contextlib.contextmanager
def registered(families: Callable[[], Iterable[Any]]) -> Iterator[Custom]:
    """A custom collector in REGISTRY for a while."""
    collector = Custom(families)
    REGISTRY.register(collector)
    try:
        yield collector
    finally:
        REGISTRY.unregister(collector)


def gauge(name: str, value: float) -> core.Metric:
    """A gauge family with one sample."""
    return core.GaugeMetricFamily(name, "Help.", value=value)


def text() -> str:
    """The native exposition of the default registry."""
    return im.render_metrics()[0].decode()


def is_fresh(body: str) -> bool:
    """Whether all collectors answered in time."""
    return f"\n{STALE} 0\n" in body


def fresh_text() -> str:
    """The same once all collectors answered in time, which a busy machine may prevent."""
    return wait_until(text, is_fresh, "a scrape that Python answers", seconds=60)


def samples_of(body: str, prefix: str) -> list[str]:
    """The lines of samples whose names begin so."""
    return [line for line in body.splitlines() if line.startswith(prefix)]


def number_after(body: str, name: str) -> float:
    """The value of a sample without labels."""
    (line,) = samples_of(body, name + " ")
    return float(line.split()[1])
