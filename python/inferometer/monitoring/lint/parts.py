"""Whether one expression is a part of another, so that their ratio is within 0 to 1."""

from __future__ import annotations

from collections.abc import Callable

from inferometer.monitoring.lint.expression import Aggregation, Call, Node, Selector
from inferometer.monitoring.lint.samples import SampleInfo

# Functions that keep the order of two series of which one is never above the other.
_KEEP_ORDER = frozenset(
    {
        "rate",
        "irate",
        "increase",
        "avg_over_time",
        "max_over_time",
        "min_over_time",
        "sum_over_time",
        "last_over_time",
    }
)

Lookup = Callable[[str], SampleInfo | None]


def is_part(part: Node, whole: Node, lookup: Lookup) -> bool:
    """Whether every value of ``part`` is at most that of ``whole`` with the same labels."""
    if isinstance(part, Selector) and isinstance(whole, Selector):
        return _selects_part(part, whole, lookup)
    if isinstance(part, Call) and isinstance(whole, Call):
        return (
            part.function == whole.function
            and part.function in _KEEP_ORDER
            and is_part(part.arguments[0], whole.arguments[0], lookup)
        )
    if isinstance(part, Aggregation) and isinstance(whole, Aggregation):
        # Of fewer series only the sum and the largest are certain to be less.
        return (
            part.op == whole.op
            and part.op in ("sum", "max")
            and (part.without, part.labels) == (whole.without, whole.labels)
            and is_part(part.inner, whole.inner, lookup)
        )
    return False


def _selects_part(part: Selector, whole: Selector, lookup: Lookup) -> bool:
    if part.alternatives or whole.alternatives or part.name is None or whole.name is None:
        return False
    if (part.range, part.offset) != (whole.range, whole.offset):
        return False
    conditions = set(part.matchers)
    sample = lookup(part.name)
    if part.name != whole.name:
        bucket = sample is not None and sample.kind == "bucket"
        if bucket and whole.name == f"{part.name.removesuffix('_bucket')}_count":
            edge = {m for m in conditions if m.label == "le" and m.op == "="}
            if not edge:  # every bucket, one in the other
                return False
            conditions -= edge
        elif sample is None or sample.part_of != whole.name:
            return False
    elif sample is None or sample.range.low < 0:
        return False
    return conditions >= set(whole.matchers)
