"""Answers from a registry's own history, by the evaluator of `promql`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inferometer._core import ConfigError
from inferometer.asgi.dashboard.promql import QueryError, Samples, evaluate
from inferometer.asgi.dashboard.promql.series import (
    NAME,
    Floats,
    LabelKey,
    LabelMatcher,
    Vector,
    label_key,
    without,
)
from inferometer.asgi.dashboard.source import Alert, SourceError

if TYPE_CHECKING:
    from inferometer._core import Registry

# The scrape configurations that come with inferometer rename this histogram (its name would clash
# with a counter's in /metrics); queries look for the new name.
_RENAMED = "nv_inference_request_duration_us"
_SCRAPED = "nv_inference_request_latency_us"
_BUCKET = "_bucket"


def _fits(value: str, matcher: LabelMatcher) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    try:
        matches = re.fullmatch(matcher.value, value) is not None
    except re.error as error:
        raise QueryError(f"got the pattern {matcher.value!r}: {error}") from error
    return matches == (matcher.op == "=~")


class HistorySource:
    """A registry's history, with the labels that a scrape would add. Thread-safe.

    Args:
        registry: Whose history; it is started where it is not.
        target_labels: The labels ``job`` and ``instance``, which no metric has by itself.
        seconds: How long samples are kept.
        interval: Seconds from one to the next.
        max_bytes: Memory that they may take.
    """

    def __init__(
        self,
        registry: Registry,
        target_labels: Mapping[str, str],
        seconds: float,
        interval: float,
        max_bytes: int,
    ) -> None:
        self._registry = registry
        self._target_labels = dict(target_labels)
        self._options = (seconds, interval, max_bytes)
        self._start()

    def _start(self) -> dict[str, Any]:
        """What the history keeps; it is started unless it runs, as in a child made by fork."""
        stats = self._registry.history_stats()
        while stats is None:
            self._registry.start_history(*self._options)
            stats = self._registry.history_stats()
        return stats

    @property
    def scrape_seconds(self) -> float:
        """See `DataSource`."""
        return float(self._start()["interval"])

    def describe(self) -> dict[str, Any]:
        """See `DataSource`."""
        stats = self._start()
        kept = {key: stats[key] for key in ("seconds", "interval", "left_out")}
        return {"kind": "history", **kept}

    def query(self, query: str, steps: Floats) -> Vector:
        """See `DataSource`."""
        self._start()
        try:
            return evaluate(query, self, steps)
        except QueryError as error:
            raise SourceError(str(error)) from error

    def alerts(self) -> list[Alert]:
        """See `DataSource`."""
        raise SourceError(
            "Alerts need Prometheus, which evaluates their rules; this page shows the process' "
            "own history."
        )

    def label_values(self, selector: str, label: str, start: float, end: float) -> list[str]:
        """See `DataSource`."""
        if not selector:
            raise SourceError(f"label_values({label}) names no metric; that needs Prometheus")
        # Whatever was there within the range: the value of the series does not matter.
        steps = np.array([end])
        seconds = max(1, round(end - start))
        found = self.query(f"last_over_time({selector}[{seconds}s])", steps)
        return sorted({series.labels[label] for series in found if label in series.labels})

    # --- SampleSource -----------------------------------------------------------------------------

    def select(
        self, name: str, matchers: Sequence[LabelMatcher], start: float, end: float
    ) -> list[Samples]:
        """See `SampleSource`."""
        of_target = self._target_labels
        fitting = [m for m in matchers if m.name not in of_target]
        if not all(_fits(of_target[m.name], m) for m in matchers if m.name in of_target):
            return []
        found = []
        for samples in self._read(name):
            labels = samples.labels
            if all(_fits(labels.get(m.name, ""), m) for m in fitting):
                first, last = np.searchsorted(samples.times, (start, end), side="left")
                part = slice(max(0, first - 1), last + 1)
                found.append(
                    Samples(
                        {NAME: name, **of_target, **labels},
                        samples.times[part],
                        samples.values[part],
                    )
                )
        return found

    def _read(self, name: str) -> list[Samples]:
        if name == "up":
            times, _ = self._registry.history("process_start_time_seconds")
            return [Samples({}, times, np.ones(len(times)))] if len(times) else []
        kept = name
        for suffix in (_BUCKET, "_sum", "_count"):
            if name == _RENAMED + suffix:
                kept = _SCRAPED + suffix
        try:
            series = self._registry.history_series(kept)
        except ConfigError as error:
            raise QueryError(self._unknown(name)) from error
        if kept.endswith(_BUCKET):
            return self._read_buckets(kept, series)
        return [Samples(labels, *self._registry.history(kept, labels)) for labels in series]

    def _read_buckets(self, name: str, series: list[dict[str, str]]) -> list[Samples]:
        histograms: dict[LabelKey, list[dict[str, str]]] = {}
        for labels in series:
            key = label_key(without(labels, ("le",)))
            histograms.setdefault(key, []).append(labels)
        found = []
        for key, buckets in histograms.items():
            times, values = self._registry.history(name, dict(key))
            for index, labels in enumerate(buckets):
                found.append(Samples(labels, times, values[:, index]))
        return found

    @staticmethod
    def _unknown(name: str) -> str:
        if name == "ALERTS" or name.startswith("ALERTS_"):
            return "alerts need Prometheus, which evaluates their rules"
        if ":" in name:
            return f"{name} is recorded by a rule; that needs Prometheus"
        if name.startswith("scrape_"):
            return f"{name} is about scrapes; there are none without Prometheus"
        return f"{name} is not in the process' own history, which keeps inferometer's metrics"
