"""REGISTRY, the face of the native default registry."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Set
from threading import Lock

from inferometer._core import MetricCell
from inferometer.metrics import default_registry
from inferometer.prometheus.collector_registry import (
    ALL_SUFFIXES,
    Collector,
    CollectorRegistry,
    DuplicateTimeseries,
    RestrictedRegistry,
    sample_names,
)
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.native_families import families_in, families_of
from inferometer.prometheus.python_backed import PythonBacked, is_python_backed

__all__ = [
    "REGISTRY",
    "Collector",
    "CollectorRegistry",
    "DefaultRegistry",
    "DuplicateTimeseries",
    "RestrictedRegistry",
]


class DefaultRegistry(CollectorRegistry):
    """The face of ``im.default_registry()``: shows its families too, those of engines included.

    A family there whose name a collector here has is left out, so that no name comes twice. The
    other way round, its expositions show those collectors of this one that only Python can read.
    """

    def __init__(self, auto_describe: bool = False) -> None:
        self._python_backed = PythonBacked(self.collectors, default_registry())
        super().__init__(auto_describe)
        self._faces: dict[Collector, frozenset[str]] = {}
        self._hidden: frozenset[str] = frozenset()

    def adopt(self, collector: Collector, families: Iterable[str]) -> None:
        """Makes a collector stand for native families, which are shown in its place.

        Args:
            collector: Counts as registered; unregistering it hides the families, registering it
                again shows them.
            families: Their names as exposed.
        """
        with self._lock:
            self._faces[collector] = frozenset(families)

    def register(self, collector: Collector) -> None:
        """Shows a collector from now on.

        Raises:
            DuplicateTimeseries: If a name of its samples is taken.
        """
        with self._lock:
            if names := self._faces.get(collector):
                self._hidden -= names
                return
        super().register(collector)
        if is_python_backed(collector):
            self._python_backed.added()
        elif isinstance(collector, MetricCell):
            shown = set(self._collector_to_names[collector])
            try:
                collector._attach(default_registry())
            except ValueError as error:  # a name that the native registry keeps for a family
                super().unregister(collector)
                raise DuplicateTimeseries(shown) from error

    def unregister(self, collector: Collector) -> None:
        """Shows a collector no more.

        Raises:
            KeyError: If it is not registered.
        """
        with self._lock:
            if names := self._faces.get(collector):
                if names <= self._hidden:
                    raise KeyError(collector)
                self._hidden |= names
                return
        super().unregister(collector)
        if isinstance(collector, MetricCell):
            collector._detach(default_registry())
        self._python_backed.removed()

    def set_target_info(self, labels: dict[str, str] | None) -> None:
        """Sets the labels of the whole target; none: they are not shown.

        Raises:
            ValueError: If another collector shows ``target_info``.
        """
        super().set_target_info(labels)
        self._python_backed.removed()

    def became_python_backed(self, metric: Collector) -> None:
        """To be called when native code cannot read a metric any more, registered here or not."""
        # Without the lock, which a thread may hold that the garbage collector has led here.
        if metric in self._collector_to_names:
            self._python_backed.added()

    def native_text(self) -> bytes | None:
        """The native families as text 0.0.4, None if one would have to be left out."""
        text = default_registry().render(own_only=True)[0]
        names = {name for family in families_in(text) for name in sample_names(family)}
        with self._lock:
            clash = (self._names_to_collectors.keys() | self._hidden) & names
        return None if clash else text

    def native_families(self) -> list[Metric]:
        """The native families that no collector here has the name of."""
        families = families_of(default_registry(), own_only=True)
        with self._lock:
            taken = self._names_to_collectors.keys() | self._hidden
        return [family for family in families if taken.isdisjoint(sample_names(family))]

    def collect(self) -> Iterator[Metric]:
        """Yields the families of all collectors, then the native ones."""
        yield from super().collect()
        yield from self.native_families()

    def _taken_names(self, names: Iterable[str]) -> set[str]:
        wanted = set(names)
        native = set(default_registry().family_names(own_only=True)) - self._hidden
        if not any(_may_be_in(native, name) for name in wanted):
            return super()._taken_names(wanted)
        for family in families_of(default_registry(), own_only=True):
            theirs = sample_names(family)
            if self._hidden.isdisjoint(theirs):
                native.update(theirs)
        return super()._taken_names(wanted) | (wanted & native)

    def _collectors_of(self, names: set[str]) -> set[Collector]:
        return super()._collectors_of(names) | {_NativeFamilies(self)}


def _may_be_in(families: Set[str], name: str) -> bool:
    """Whether families of these names, as exposed, may have samples of that name."""
    bases = {name.removesuffix(suffix) for suffix in ALL_SUFFIXES}
    return not families.isdisjoint(bases | {base + "_total" for base in bases})


class _NativeFamilies:
    """The native part of the default registry."""

    def __init__(self, registry: DefaultRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        """The native families."""
        return self._registry.native_families()


REGISTRY = DefaultRegistry(auto_describe=True)
"""The registry that metrics are registered in unless they name another one."""


# The thread that collects for the native exposition takes the lock too; a child has no such thread,
# and nobody in it would give back a lock held at the fork.
def _renew_lock() -> None:
    REGISTRY._lock = Lock()


os.register_at_fork(after_in_child=_renew_lock)
