"""Writing a whole registry: native metrics natively, without the GIL, the rest in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from inferometer._core import MetricCell, render_cells
from inferometer.prometheus.escaping import ALLOWUTF8, UNDERSCORES
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.metric_base import MetricWrapperBase
from inferometer.prometheus.metrics import created_metrics_enabled
from inferometer.prometheus.registry import CollectorRegistry, DefaultRegistry

FamilyWriter = Callable[[Metric], str]

# With these, names of the legacy character set are written as they are.
_NATIVE_ESCAPING = (UNDERSCORES, ALLOWUTF8)
_OWN_COLLECT = (CollectorRegistry.collect, DefaultRegistry.collect)


def _written(family: Metric, write: FamilyWriter) -> bytes:
    try:
        return write(family).encode("utf-8")
    except Exception as exception:
        # Says which family it was; more than a message, so that a caller may leave it out.
        exception.args = (*(exception.args or ("",)), family)
        raise


def render(registry: Any, write: FamilyWriter, escaping: str, openmetrics: bool) -> bytes:
    """The exposition of a registry, or of anything that has ``collect()``.

    Args:
        registry: What to write.
        write: Writes one family.
        escaping: The scheme that `write` escapes names with.
        openmetrics: Whether the format is OpenMetrics.

    Raises:
        Exception: What a collector raised; for a family that cannot be written, with it as the
            last of the exception's ``args``.
    """
    if escaping not in _NATIVE_ESCAPING or getattr(type(registry), "collect", None) not in (
        _OWN_COLLECT
    ):
        return b"".join(_written(family, write) for family in registry.collect())
    parts = [render_collectors(registry, write, openmetrics)]
    if isinstance(registry, DefaultRegistry):
        text = None if openmetrics else registry.native_text()
        if text is None:
            parts.extend(_written(family, write) for family in registry.native_families())
        else:
            parts.append(text)
    return b"".join(parts)


def render_collectors(registry: CollectorRegistry, write: FamilyWriter, openmetrics: bool) -> bytes:
    """The exposition of what is registered in a registry, in the order of registration."""
    parts: list[bytes] = []
    native: list[MetricCell] = []

    def write_native() -> None:
        if native:
            parts.append(render_cells(native, openmetrics, created_metrics_enabled()))
            native.clear()

    for collector in registry.collectors():
        if isinstance(collector, MetricWrapperBase) and collector._has_native_text():
            native.append(collector)
            continue
        write_native()
        parts.extend(_written(family, write) for family in collector.collect())
    write_native()
    return b"".join(parts)
