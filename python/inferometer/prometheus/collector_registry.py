"""Collectors that are exposed together, as prometheus_client's registries keep them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from inferometer.prometheus.metric import Metric

# What the samples of a type add to the name of their family.
_SUFFIXES: dict[str, tuple[str, ...]] = {
    "counter": ("_total", "_created"),
    "summary": ("_sum", "_count", "_created"),
    "histogram": ("_bucket", "_sum", "_count", "_created"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "info": ("_info",),
}
ALL_SUFFIXES = {"", *(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)}


@runtime_checkable
class Collector(Protocol):
    """Anything that returns metric families; ``describe()`` may say which, without numbers."""

    def collect(self) -> Iterable[Metric]:
        """The families with their samples of now."""
        ...


class _EmptyCollector:
    """Stands for a name that is taken."""

    def collect(self) -> Iterable[Metric]:
        """Nothing."""
        return []


class DuplicateTimeseries(ValueError):
    """Two collectors of a registry would show samples of the same name.

    Attributes:
        duplicates: Those names.
    """

    def __init__(self, duplicates: set[str]) -> None:
        super().__init__(f"Duplicated timeseries in CollectorRegistry: {duplicates}")
        self.duplicates = duplicates


def sample_names(family: Metric) -> list[str]:
    """The name of a family and those of its samples."""
    return [family.name, *(family.name + suffix for suffix in _SUFFIXES.get(family.type, ()))]


class CollectorRegistry:
    """Collectors that are exposed together. Thread-safe.

    Args:
        auto_describe: Whether collectors without ``describe()`` are collected once when they are
            registered, to learn their names.
        target_info: Labels of the whole target, shown as ``target_info``.
        support_collectors_without_names: Whether a restricted registry asks collectors that do not
            say their names.
    """

    def __init__(
        self,
        auto_describe: bool = False,
        target_info: dict[str, str] | None = None,
        support_collectors_without_names: bool = False,
    ) -> None:
        self._collector_to_names: dict[Collector, list[str]] = {}
        self._names_to_collectors: dict[str, Collector] = {}
        self._auto_describe = auto_describe
        self._lock = Lock()
        self._target_info: dict[str, str] | None = {}
        self._support_collectors_without_names = support_collectors_without_names
        self._collectors_without_names: list[Collector] = []
        self.set_target_info(target_info)

    def register(self, collector: Collector) -> None:
        """Shows a collector from now on.

        Raises:
            DuplicateTimeseries: If a name of its samples is taken.
        """
        # Without the lock: what says its names may show this registry or add to it.
        names = self._names_of(collector)
        with self._lock:
            duplicates = self._taken_names(names)
            if duplicates:
                raise DuplicateTimeseries(duplicates)
            self._names_to_collectors.update(dict.fromkeys(names, collector))
            self._collector_to_names[collector] = names
            if self._support_collectors_without_names and not names:
                self._collectors_without_names.append(collector)

    def unregister(self, collector: Collector) -> None:
        """Shows a collector no more.

        Raises:
            KeyError: If it is not registered.
        """
        with self._lock:
            for name in self._collector_to_names.pop(collector):
                self._names_to_collectors.pop(name, None)
            if collector in self._collectors_without_names:
                self._collectors_without_names.remove(collector)

    def _taken_names(self, names: Iterable[str]) -> set[str]:
        return self._names_to_collectors.keys() & set(names)

    def _names_of(self, collector: Any) -> list[str]:
        describe = getattr(collector, "describe", None)
        if describe is None and self._auto_describe:
            describe = collector.collect
        if describe is None:
            return []
        return [name for family in describe() for name in sample_names(family)]

    def collect(self) -> Iterator[Metric]:
        """Yields the families of all collectors."""
        for collector in self.collectors():
            yield from collector.collect()

    def collectors(self) -> list[Collector]:
        """The collectors in the order of registration, after one for the target's labels."""
        with self._lock:
            target = [_TargetInfo(self._target_info)] if self._target_info else []
            return [*target, *self._collector_to_names]

    def restricted_registry(self, names: Iterable[str]) -> RestrictedRegistry:
        """A view that collects only the samples of these names."""
        return RestrictedRegistry(names, self)

    def set_target_info(self, labels: dict[str, str] | None) -> None:
        """Sets the labels of the whole target; none: they are not shown.

        Raises:
            ValueError: If another collector shows ``target_info``.
        """
        with self._lock:
            if labels:
                if not self._target_info and "target_info" in self._names_to_collectors:
                    raise ValueError("CollectorRegistry already contains a target_info metric")
                self._names_to_collectors["target_info"] = _EmptyCollector()
            elif self._target_info:
                self._names_to_collectors.pop("target_info", None)
            self._target_info = labels

    def get_target_info(self) -> dict[str, str] | None:
        """The labels of the whole target."""
        with self._lock:
            return self._target_info

    def get_sample_value(self, name: str, labels: dict[str, str] | None = None) -> float | None:
        """The value of the sample with exactly these labels, None if there is none. For tests."""
        wanted = labels or {}
        for family in self.collect():
            for sample in family.samples:
                if sample.name == name and sample.labels == wanted:
                    return sample.value
        return None

    def _collectors_of(self, names: set[str]) -> set[Collector]:
        with self._lock:
            found = {
                self._names_to_collectors[name] for name in names & self._names_to_collectors.keys()
            }
            if self._target_info and "target_info" in names:
                found.add(_TargetInfo(self._target_info))
            return found | set(self._collectors_without_names)


class _TargetInfo:
    """Shows the labels of the whole target."""

    def __init__(self, labels: dict[str, str]) -> None:
        self._labels = labels

    def collect(self) -> Iterable[Metric]:
        """The family ``target``."""
        family = Metric("target", "Target metadata", "info")
        family.add_sample("target_info", self._labels, 1)
        return [family]


class RestrictedRegistry:
    """The samples of some names. What does not have them is not asked."""

    def __init__(self, names: Iterable[str], registry: CollectorRegistry) -> None:
        self._name_set = set(names)
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Yields the families that have such samples, with those alone."""
        for collector in self._registry._collectors_of(self._name_set):
            for family in collector.collect():
                restricted = family._restricted_metric(self._name_set)
                if restricted:
                    yield restricted
