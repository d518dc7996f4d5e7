"""A metric family: what collectors return and writers write."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from inferometer.prometheus.samples import Exemplar, NativeHistogram, Sample, Timestamp
from inferometer.prometheus.validation import check_metric_name

METRIC_TYPES = (
    "counter",
    "gauge",
    "summary",
    "histogram",
    "gaugehistogram",
    "unknown",
    "info",
    "stateset",
)

SampleTime = Timestamp | float | None


class Metric:
    """A metric family and its samples. Custom collectors rather use the classes below.

    Args:
        name: Without the suffixes of its samples; the unit is appended if it is not there.
        documentation: The HELP text.
        typ: One of ``METRIC_TYPES``, or ``untyped``.
        unit: Base unit, such as ``seconds``.

    Raises:
        ValueError: For an invalid name or type.
    """

    def __init__(self, name: str, documentation: str, typ: str, unit: str = "") -> None:
        if unit and not name.endswith("_" + unit):
            name += "_" + unit
        check_metric_name(name)
        self.name = name
        self.documentation = documentation
        self.unit = unit
        self.type = "unknown" if typ == "untyped" else typ
        if self.type not in METRIC_TYPES:
            raise ValueError("Invalid metric type: " + typ)
        self.samples: list[Sample] = []

    def add_sample(
        self,
        name: str,
        labels: dict[str, str],
        value: float,
        timestamp: SampleTime = None,
        exemplar: Exemplar | None = None,
        native_histogram: NativeHistogram | None = None,
    ) -> None:
        """Adds a sample under its whole name."""
        self.samples.append(Sample(name, labels, value, timestamp, exemplar, native_histogram))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Metric) and self._parts() == other._parts()

    __hash__ = None  # type: ignore[assignment]  # samples may be added

    def __repr__(self) -> str:
        return f"Metric({', '.join(map(str, self._parts()))})"

    def _parts(self) -> tuple[Any, ...]:
        return self.name, self.documentation, self.type, self.unit, self.samples

    def _restricted_metric(self, names: Collection[str]) -> Metric | None:
        """A copy with only the samples of these names; None if there are none."""
        samples = [sample for sample in self.samples if sample.name in names]
        if not samples:
            return None
        restricted = Metric(self.name, self.documentation, self.type)
        restricted.samples = samples
        return restricted
