"""What the metric types have in common: names, labels, children, samples."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from inferometer._core import ConfigError, MetricCell
from inferometer.metrics import default_registry
from inferometer.prometheus.inheritance import from_parent
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry
from inferometer.prometheus.samples import Exemplar, Sample
from inferometer.prometheus.validation import (
    check_exemplar,
    check_metric_name,
    checked_label_names,
    is_legacy_label_name,
    is_legacy_metric_name,
)

T = TypeVar("T", bound="MetricWrapperBase")

_MULTIPROCESS_VARIABLES = ("PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir")
# Classes with these of their own decide themselves what is shown.
_SAMPLING_METHODS = ("collect", "_samples", "_multi_samples", "_child_samples")


def _full_name(kind: str, name: str, namespace: str, subsystem: str, unit: str) -> str:
    if not name:
        raise ValueError("Metric name should not be empty")
    full = "_".join(part for part in (namespace, subsystem, name) if part)
    if kind == "counter":
        full = full.removesuffix("_total")
    if unit and not full.endswith("_" + unit):
        full += "_" + unit
    if unit and kind in ("info", "stateset"):
        raise ValueError("Metric name is of a type that cannot have a unit: " + full)
    return full


def _refuse_multiprocess_mode() -> None:
    for variable in _MULTIPROCESS_VARIABLES:
        if variable in os.environ:
            raise ConfigError(
                f"{variable} is set, but inferometer.prometheus has no multiprocess mode yet: "
                "every process would show its own numbers only"
            )


class MetricWrapperBase(MetricCell):
    """A metric with labels (``labels()`` leads to its children), one without, or a child.

    Its numbers live in native cells; recording is thread-safe and takes no lock.

    Args:
        name: The name; `namespace` and `subsystem` are put in front, `unit` at the end.
        documentation: The HELP text.
        labelnames: The names of the labels.
        namespace: First part of the name.
        subsystem: Second part of the name.
        unit: Base unit, such as ``seconds``.
        registry: Where to register; None: nowhere.

    Raises:
        ValueError: For invalid names, or ones that the registry has (``DuplicateTimeseries``).
    """

    _type: ClassVar[str] = ""
    _reserved_labelnames: ClassVar[Sequence[str]] = ()
    _native_writer: ClassVar[bool] = False
    _cell_bounds: tuple[float, ...] = ()
    _original_name: str = from_parent()
    _namespace: str = from_parent()
    _subsystem: str = from_parent()
    _name: str = from_parent()
    _labelnames: tuple[str, ...] = from_parent()
    _documentation: str = from_parent()
    _unit: str = from_parent()
    _kwargs: dict[str, Any] = from_parent()
    _own_init: ClassVar[Any] = None  # the __init__ of our class, which a subclass may replace

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Iterable[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        _labelvalues: Sequence[str] | None = None,
    ) -> None:
        self._original_name = name
        self._namespace = namespace
        self._subsystem = subsystem
        self._name = _full_name(self._type, name, namespace, subsystem, unit)
        self._labelnames = checked_label_names(labelnames, self._reserved_labelnames)
        self._documentation = documentation
        self._unit = unit
        self._kwargs = {}
        if _labelvalues:
            return  # _new_child() does the rest
        check_metric_name(self._name)
        _refuse_multiprocess_mode()
        self._open(
            self._type,
            self._name,
            documentation,
            unit,
            self._labelnames,
            self._cell_bounds,
            default_registry(),
        )
        if not self._labelnames:
            self._created = time.time()
        if registry:
            registry.register(self)

    def _new_child(self: T, labelvalues: tuple[str, ...]) -> T:
        """Makes a child; native labels() calls it for label values that are new."""
        cls = self.__class__
        if cls.__init__ is cls._own_init:
            # All that __init__() would set is the parent's.
            child = cls.__new__(cls)
        else:
            child = cls(
                self._original_name,
                documentation=self._documentation,
                labelnames=self._labelnames,
                namespace=self._namespace,
                subsystem=self._subsystem,
                unit=self._unit,
                _labelvalues=labelvalues,
                **self._kwargs,
            )
        child._open_child(self, labelvalues)
        child._created = time.time()
        return child

    def _refuse_labels(self) -> None:
        """Raises what labels() has to say about a metric that has no children."""
        if not self._labelnames:
            raise ValueError(f"No label names were set when constructing {self}")
        chosen = dict(zip(self._labelnames, self._labelvalues, strict=False))
        raise ValueError(
            f"{self} already has labels set ({chosen}); can not chain calls to .labels()"
        )

    def _raise_if_not_observable(self) -> None:
        if self._is_parent():
            raise ValueError(f"{self._type} metric is missing label values")

    def _is_parent(self) -> bool:
        return bool(self._labelnames and not self._labelvalues)

    def remove(self, *labelvalues: object) -> None:
        """Removes the child of these label values, if there is one.

        Raises:
            ValueError: If there are no labels or another number of them.
        """
        if not self._is_parent():
            self._refuse_labels()
        if len(labelvalues) != len(self._labelnames):
            raise ValueError(
                f"Incorrect label count (expected {len(self._labelnames)}, got {labelvalues})"
            )
        self._drop_child(tuple(map(str, labelvalues)))

    def remove_by_labels(self, labels: dict[str, str]) -> None:
        """Removes all children that have all of these labels; none if there are none given.

        Raises:
            ValueError: For a metric without labels and for label names that it has not.
            TypeError: If `labels` is no dict.
        """
        if not self._is_parent():
            self._refuse_labels()
        if not isinstance(labels, dict):
            raise TypeError("labels must be a dict of {label_name: label_value}")
        unknown = [name for name in labels if name not in self._labelnames]
        if unknown:
            raise ValueError(f"Unknown label names: {unknown}; expected {self._labelnames}")
        wanted = {self._labelnames.index(name): str(value) for name, value in labels.items()}
        if not wanted:
            return
        for values in list(self._metrics):
            if all(values[position] == value for position, value in wanted.items()):
                self._drop_child(values)

    def clear(self) -> None:
        """Removes all children."""
        if self._is_parent():
            self._drop_children()

    def describe(self) -> list[Metric]:
        """The family without its samples."""
        return [self._family()]

    def collect(self) -> list[Metric]:
        """The family with its samples of now."""
        family = self._family()
        for sample in self._samples():
            family.samples.append(sample._replace(name=self._name + sample.name))
        return [family]

    def _family(self) -> Metric:
        return Metric(self._name, self._documentation, self._type, self._unit)

    def _samples(self) -> Iterable[Sample]:
        return self._multi_samples() if self._is_parent() else self._child_samples()

    def _multi_samples(self) -> Iterable[Sample]:
        for values, child in self._metrics.copy().items():
            labels = dict(zip(self._labelnames, values, strict=True))
            for sample in child._samples():
                yield sample._replace(labels={**labels, **sample.labels})

    def _child_samples(self) -> Iterable[Sample]:
        raise NotImplementedError(f"_child_samples() must be implemented by {self!r}")

    def _record_exemplar(self, index: int, exemplar: Mapping[str, str], value: float) -> None:
        """Checks and keeps an exemplar; native inc() and observe() call it after they recorded."""
        if not check_exemplar(exemplar):
            self._leave_to_python()  # the native writer escapes no names
        self._set_exemplar(index, sorted(exemplar.items()), value, time.time())

    def _read_exemplar(self, index: int) -> Exemplar | None:
        found = self._exemplar(index)
        return found and Exemplar(*found)

    def _leave_to_python(self) -> None:
        super()._leave_to_python()
        parent = self._parent
        REGISTRY.became_python_backed(self if parent is None else parent)

    def _has_native_text(self) -> bool:
        """Whether the native writer can write this metric, as its names need no escaping."""
        return (
            self._native_writer
            and not self._left_to_python
            and is_legacy_metric_name(self._name)
            and all(map(is_legacy_label_name, self._labelnames))
        )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__.startswith("inferometer.prometheus."):
            cls._own_init = cls.__init__
        if any(name in cls.__dict__ for name in _SAMPLING_METHODS):
            cls._native_writer = cls.__dict__.get("_native_writer", False)

    def __str__(self) -> str:
        return f"{self._type}:{self._name}"

    def __repr__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}({self._name})"
