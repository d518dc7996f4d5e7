"""Enum: which of several states is so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inferometer._core import EnumCell
from inferometer.prometheus.inheritance import from_parent
from inferometer.prometheus.metric_base import MetricWrapperBase
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry
from inferometer.prometheus.samples import Sample
from inferometer.prometheus.validation import check_unicode


class Enum(EnumCell, MetricWrapperBase):
    """Which of several states is so; the first one is at the start."""

    _type = "stateset"
    _states: tuple[str, ...] = from_parent()

    def __init__(
        self,
        name: str,
        documentation: str,
        labelnames: Sequence[str] = (),
        namespace: str = "",
        subsystem: str = "",
        unit: str = "",
        registry: CollectorRegistry | None = REGISTRY,
        _labelvalues: Sequence[str] | None = None,
        states: Sequence[str] | None = None,
    ) -> None:
        if name in labelnames:
            raise ValueError(f"Overlapping labels for Enum metric: {name}")
        if not states:
            raise ValueError(f"No states provided for Enum metric: {name}")
        self._states = tuple(states)
        for known in self._states:
            check_unicode(known, "state")
        super().__init__(
            name, documentation, labelnames, namespace, subsystem, unit, registry, _labelvalues
        )
        self._kwargs["states"] = states

    def state(self, state: str) -> None:
        """Sets the state.

        Raises:
            ValueError: If it is none of the states.
        """
        self._raise_if_not_observable()
        self._write(self._states.index(state))

    def _child_samples(self) -> Iterable[Sample]:
        present = self._read()
        return [
            Sample("", {self._name: state}, 1 if index == present else 0)
            for index, state in enumerate(self._states)
        ]
