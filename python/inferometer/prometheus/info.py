"""Info: labels that are the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from inferometer._core import InfoCell
from inferometer.prometheus.metric_base import MetricWrapperBase
from inferometer.prometheus.samples import Sample


class Info(InfoCell, MetricWrapperBase):
    """Labels that are the value: versions, build information."""

    _type = "info"

    def info(self, val: Mapping[str, str]) -> None:
        """Sets the labels.

        Raises:
            ValueError: If one is a label of the metric too, or a value is None.
            TypeError: If a name or value is no str.
        """
        self._raise_if_not_observable()
        if not set(self._labelnames).isdisjoint(val):
            raise ValueError(
                f"Overlapping labels for Info metric, metric: {self._labelnames} child: {val}"
            )
        if None in val.values():
            raise ValueError("Label value cannot be None")
        self._write_info(tuple(val.items()))

    def _child_samples(self) -> Iterable[Sample]:
        return (Sample("_info", self._read_info(), 1.0),)
