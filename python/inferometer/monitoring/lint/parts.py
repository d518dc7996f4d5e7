"""Whether one expression is a part of another, so that their ratio is within 0 to 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from inferometer.monitoring.lint.expression import Aggregation, Call, Matcher, Node, Selector
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
    return _implies(conditions, set(whole.matchers), {} if sample is None else sample.values)


def _implies(
    part: set[Matcher], whole: set[Matcher], values: Mapping[str, tuple[str, ...]]
) -> bool:
    """Whether what meets the first conditions meets the second."""
    for label in {matcher.label for matcher in whole - part}:
        known = values.get(label, ())
        chosen = _chosen(known, [m for m in part if m.label == label])
        allowed = _chosen(known, [m for m in whole if m.label == label])
        if not known or chosen is None or allowed is None or not chosen <= allowed:
            return False
    return True


def _chosen(known: tuple[str, ...], matchers: list[Matcher]) -> set[str] | None:
    """The values that meet all conditions; None if one cannot be read."""
    try:
        return {value for value in known if all(_meets(value, m) for m in matchers)}
    except re.error:
        return None


def _meets(value: str, matcher: Matcher) -> bool:
    if matcher.op in ("=", "!="):
        return (value == matcher.value) == (matcher.op == "=")
    return (re.fullmatch(matcher.value, value) is not None) == (matcher.op == "=~")
