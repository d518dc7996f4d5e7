"""``python_gc_*``: what the garbage collector did."""

from __future__ import annotations

import gc
import platform
from collections.abc import Iterable

from inferometer.prometheus.families import CounterMetricFamily
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry

_COUNTERS = (
    ("collected", "python_gc_objects_collected", "Objects collected during gc"),
    ("uncollectable", "python_gc_objects_uncollectable", "Uncollectable objects found during GC"),
    ("collections", "python_gc_collections", "Number of times this generation was collected"),
)


class GCCollector:
    """Shows what the garbage collector did. Does nothing on other Pythons than CPython."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        if platform.python_implementation() == "CPython":
            registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Three counters by generation."""
        statistics = gc.get_stats()
        for key, name, documentation in _COUNTERS:
            family = CounterMetricFamily(name, documentation, labels=["generation"])
            for generation, numbers in enumerate(statistics):
                family.add_metric([str(generation)], numbers[key])
            yield family


GC_COLLECTOR = GCCollector()
"""The one in ``REGISTRY``."""
