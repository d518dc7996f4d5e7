"""histogram_quantile: what it is given, and what it can return."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.lint.expression import Call
from inferometer.monitoring.lint.interval import ANY, UNIT, Interval
from inferometer.monitoring.lint.samples import SampleInfo
from inferometer.monitoring.lint.value import Value

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation

_NO_BUCKETS = frozenset({"counter", "gauge", "sum", "count", "quantile"})


def _check_argument(run: Evaluation, node: Call, value: Value) -> None:
    source = value.source
    if source is not None and source.kind in _NO_BUCKETS:
        run.report(
            "quantile-without-buckets",
            f"got histogram_quantile of {source.name}, which holds no buckets: want the rate of a "
            "metric that ends in _bucket",
        )
    elif not value.labels.may_have("le") and (source is None or source.kind != "histogram"):
        run.report(
            "quantile-without-le",
            f"got {node.text[:120]}, whose argument has lost the label le ({value.labels}): keep "
            "it, sum by (le, ...)",
        )


def _possible(source: SampleInfo | None, phi: float | None) -> Interval:
    if source is None or not source.edges or phi is None or not 0 <= phi <= 1:
        return ANY
    return Interval(min(0.0, source.edges[0]), source.edges[-1])


def evaluate_quantile(run: Evaluation, node: Call, phi: Value, value: Value) -> Value:
    """The value of histogram_quantile."""
    _check_argument(run, node, value)
    q = phi.constant
    if q is not None and q not in UNIT:
        run.report(
            "quantile-out-of-range",
            f"got histogram_quantile({q:g}, ...), want a quantile within 0 to 1"
            + (f": write {q / 100:g}" if 1 < q <= 100 else ""),
        )
    source = value.source if value.source and value.source.kind in ("bucket", "histogram") else None
    return replace(
        value,
        labels=value.labels.drop(["le"]),
        interval=_possible(source, q),
        unit=None if source is None else source.unit,
        total=False,
        quantile=True,
        existence=False,
        rated=False,
        edges=() if source is None else source.edges,
        truth=None,
    )
