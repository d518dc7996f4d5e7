"""Metric families of Python's collectors as native ones, shaped as the text format shows them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from inferometer._core import FamilyList
from inferometer.prometheus.escaping import escape_label_name, escape_metric_name
from inferometer.prometheus.samples import Sample

# Types with one number a series: what the type is natively, and the suffix of its samples.
_SCALARS = {
    "counter": ("counter", "_total"),
    "gauge": ("gauge", ""),
    "info": ("gauge", "_info"),
    "stateset": ("gauge", ""),
}


class _Shape(NamedTuple):
    """Of a type whose series have several samples: its native type, and which sample says what."""

    kind: str
    part_label: str
    part_suffix: str
    count_suffix: str
    sum_suffix: str


_SHAPES = {
    "histogram": _Shape("histogram", "le", "_bucket", "_count", "_sum"),
    "gaugehistogram": _Shape("histogram", "le", "_bucket", "_gcount", "_gsum"),
    "summary": _Shape("summary", "quantile", "", "_count", "_sum"),
}
_WITH_CREATED = ("counter", "histogram", "summary")
# What samples that collectors made by hand can raise.
_UNFIT = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


class _Series:
    """One histogram or summary. Single-owner."""

    def __init__(self, labels: dict[str, str], timestamp: Any) -> None:
        self.labels = labels
        self.timestamp = timestamp
        self.parts: dict[float, float] = {}  # by bound or quantile
        self.count: float | None = None
        self.sum = math.nan  # where there is none, as with negative bounds

    def counted(self) -> int:
        """The count.

        Raises:
            ValueError: If there is none.
        """
        if self.count is None:
            raise ValueError("got no count")
        return _whole(self.count)

    def add_to(self, families: FamilyList, kind: str) -> None:
        """Adds it to the family that was begun last.

        Raises:
            ValueError: For counts that are missing, or none.
            OverflowError: For counts beyond 64 bits.
        """
        names, values = _escaped(self.labels)
        timestamp = _milliseconds(self.timestamp)
        parts = self.parts
        if kind == "summary":
            numbers = list(parts.values())
            count = self.counted()
            families.summary(names, values, list(parts), numbers, count, self.sum, timestamp)
            return
        if math.inf not in parts:
            parts[math.inf] = self.counted()
        cumulative = [_whole(number) for number in parts.values()]
        families.histogram(names, values, list(parts), cumulative, self.sum, timestamp)


def _whole(value: float) -> int:
    if value < 0 or value != int(value):
        raise ValueError(f"got {value}, want a count")
    return int(value)


def _milliseconds(timestamp: Any) -> int:
    return 0 if timestamp is None else int(float(timestamp) * 1000)


def _escaped(labels: dict[str, str]) -> tuple[list[str], list[str]]:
    pairs = sorted(labels.items())
    return [escape_label_name(name) for name, _ in pairs], [value for _, value in pairs]


def _begin(families: FamilyList, name: str, documentation: str, kind: str, series: int) -> bool:
    """Begins a family, or drops its series if it cannot have that name or text."""
    try:
        families.family(escape_metric_name(name), documentation, kind)
    except _UNFIT:
        for _ in range(series):
            families.drop()
        return False
    return True


def _add_scalars(
    families: FamilyList, name: str, documentation: str, kind: str, samples: Sequence[Sample]
) -> None:
    if not samples or not _begin(families, name, documentation, kind, len(samples)):
        return
    for sample in samples:
        try:
            names, values = _escaped(sample.labels)
            timestamp = _milliseconds(sample.timestamp)
            families.scalar(names, values, float(sample.value), timestamp)
        except _UNFIT:
            families.drop()


class _Gathering:
    """Puts the samples of each histogram or summary of a family together. Single-owner."""

    def __init__(self, families: FamilyList) -> None:
        self._families = families
        self._found: dict[tuple[tuple[str, str], ...], _Series] = {}

    def add(self, samples: Sequence[Sample], field: str, part_label: str = "") -> None:
        """Sets `field` of the samples' series; with `part_label`, its parts by that label."""
        for sample in samples:
            try:
                labels, value = dict(sample.labels), float(sample.value)
                part = float(labels.pop(part_label)) if part_label else None
                key = tuple(sorted(labels.items()))
                series = self._found.setdefault(key, _Series(labels, sample.timestamp))
            except _UNFIT:
                self._families.drop()
                continue
            if part is None:
                setattr(series, field, value)
            else:
                series.parts[part] = value

    def show(self, name: str, documentation: str, kind: str) -> None:
        """Adds the family."""
        if not _begin(self._families, name, documentation, kind, len(self._found)):
            return
        for series in self._found.values():
            try:
                series.add_to(self._families, kind)
            except _UNFIT:
                self._families.drop()


def add_family(families: FamilyList, family: Any) -> None:
    """Adds a family of a collector, ours or prometheus_client's, with its samples.

    Types that the text format does not have become what it shows them as: an info a gauge
    ``x_info``, a state set a gauge with the state as a label, a gauge histogram a histogram and the
    gauges ``x_gcount`` and ``x_gsum``. Names are escaped with underscores. ``_created`` samples and
    exemplars are left out; a sample whose name is none of its family's becomes untyped; a series
    that cannot be represented is dropped and counted.

    Args:
        families: Where to add it.
        family: Anything with the attributes of a ``Metric``.
    """
    name, documentation = family.name, family.documentation
    rest: dict[str, list[Sample]] = {}
    for sample in family.samples:
        rest.setdefault(sample.name, []).append(sample)
    if family.type in _WITH_CREATED:
        rest.pop(name + "_created", None)
    if family.type in _SCALARS:
        kind, suffix = _SCALARS[family.type]
        samples = rest.pop(name + suffix, [])
        _add_scalars(families, name + suffix, documentation, kind, samples)
    elif family.type in _SHAPES:
        shape = _SHAPES[family.type]
        counts = rest.pop(name + shape.count_suffix, [])
        sums = rest.pop(name + shape.sum_suffix, [])
        gathering = _Gathering(families)
        gathering.add(rest.pop(name + shape.part_suffix, []), "parts", shape.part_label)
        gathering.add(counts, "count")
        gathering.add(sums, "sum")
        gathering.show(name, documentation, shape.kind)
        if family.type == "gaugehistogram":
            _add_scalars(families, name + shape.count_suffix, documentation, "gauge", counts)
            _add_scalars(families, name + shape.sum_suffix, documentation, "gauge", sums)
    for other, samples in rest.items():
        _add_scalars(families, other, documentation, "untyped", samples)
