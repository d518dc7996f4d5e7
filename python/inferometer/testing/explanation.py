"""Why an alert does not fire: what in its expression holds it back."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import promql_parser as pq

from inferometer.testing.durations import text_of
from inferometer.testing.expectations import Expectation, Failure
from inferometer.testing.exposition_text import labels_text
from inferometer.testing.promtool_output import Sample
from inferometer.testing.queries import (
    Node,
    bare,
    children,
    is_comparison,
    number_of,
    operator_of,
    selector_of,
    shown,
)
from inferometer.testing.rule_engine import RuleEngine
from inferometer.testing.rule_files import Rule
from inferometer.testing.subexpressions import Subexpressions
from inferometer.testing.timeline import Timeline

MISSING_METRIC = "missing metric"
LABEL_MISMATCH = "label mismatch"
FEW_SAMPLES = "too few samples"
NAN = "NaN"
THRESHOLD = "threshold"
FOR = "for"

_SHOWN = 3


@dataclass(frozen=True)
class Cause:
    """What holds an alert back.

    Attributes:
        kind: One of the names above.
        text: What it is here.
    """

    kind: str
    text: str


def explained(expected: Expectation, failure: Failure, engine: RuleEngine) -> str:
    """A failure, the timeline, what holds the alert back, and the values of its expression."""
    timeline = engine.timeline(expected.reads())
    refused = list(_refused(engine, expected.window.end(timeline)))
    if failure.moment is None:
        return "\n".join([failure.text, timeline.draw(), *refused])
    text = [failure.text, timeline.draw(expected.names())]
    text += refused
    rule = engine.rules.alert(expected.name)
    parts = Subexpressions(rule, engine.rules, failure.moment, engine.ask, expected.labels)
    firing = timeline.firing_at(failure.moment)
    if not any(one.name == rule.name and one.has(expected.labels) for one in firing):
        cause = cause_of(rule, parts, timeline, expected.labels)
        text.append(f"held back by: {cause.kind}\n  {cause.text}")
    text.append(f"values at {text_of(failure.moment)}:")
    text.append("\n".join("  " + line for line in parts.table().splitlines()))
    return "\n".join(text)


def _refused(engine: RuleEngine, until: float) -> Iterator[str]:
    """What Prometheus would not have taken, which no rule can have seen."""
    for instance, refusals in engine.refused(until).items():
        (first, why), (last, _) = refusals[0], refusals[-1]
        when = f"at {text_of(first)}"
        if len(refusals) > 1:
            when += f" and {len(refusals) - 1} more until {text_of(last)}"
        yield f"Prometheus would refuse the scrape of {instance} {when}, so up is 0:\n  {why}"


def cause_of(
    rule: Rule, parts: Subexpressions, timeline: Timeline, labels: Mapping[str, str]
) -> Cause:
    """Finds what holds an alert back that does not fire at the moment of its parts.

    Args:
        rule: The alert.
        parts: The values of its expression.
        timeline: When it was pending.
        labels: What is asked for.
    """
    for name, value in labels.items():
        own = rule.labels.get(name, value)
        if own != value and "{{" not in own:
            return Cause(
                LABEL_MISMATCH, f'the rule sets {name}="{own}", and {name}="{value}" is asked for'
            )
    if not parts.of(parts.root):
        return _why_empty(parts.root, parts)
    moment = parts.moment
    since = [
        (episode.active_at, episode.ended_at)
        for episode in timeline.episodes(rule.name, labels)
        if episode.active_at <= moment and (episode.ended_at is None or moment < episode.ended_at)
    ]
    if not since:
        return Cause(FOR, f"the expression is true at {text_of(moment)}, between two evaluations")
    begin, end = min(since)
    until = f"until {text_of(end)}" if end is not None else "until the lab's end"
    return Cause(
        FOR, f"it was pending from {text_of(begin)} {until}, and waits for {text_of(rule.hold)}"
    )


def _why_empty(node: Node, parts: Subexpressions) -> Cause:
    node = bare(node)
    if isinstance(node, pq.VectorSelector):
        return _why_no_series(node, parts)
    if isinstance(node, pq.MatrixSelector):
        selector = children(node)[0]
        if parts.of(selector):
            return Cause(FEW_SAMPLES, f"{shown(node)} has no samples")
        return _why_empty(selector, parts)
    if isinstance(node, pq.BinaryExpr):
        return _why_no_pair(node, parts)
    inner = [child for child in children(node) if number_of(child) is None]
    inner = [child for child in inner if not isinstance(child, pq.StringLiteral)]
    for child in inner:
        if not parts.of(child):
            return _why_empty(child, parts)
    name = node.func.name if isinstance(node, pq.Call) else ""
    if name == "histogram_quantile" and not _label_names(parts.of(inner[-1])) & {"le"}:
        return Cause(
            LABEL_MISMATCH,
            f"{shown(inner[-1])} has no label le, so it is no histogram: keep le in by (…)",
        )
    if name.startswith("absent"):
        return Cause(THRESHOLD, f"{shown(inner[0])} is there: {_listed(parts.of(inner[0]))}")
    if inner and isinstance(inner[-1], pq.MatrixSelector):
        counts = _listed(parts.of(inner[-1]))
        return Cause(FEW_SAMPLES, f"{shown(node)} needs two samples in its range; it has {counts}")
    return Cause(MISSING_METRIC, f"{shown(node)} gives nothing")


def _why_no_series(node: Node, parts: Subexpressions) -> Cause:
    selector = selector_of(node)
    if selector.name is None:
        return Cause(MISSING_METRIC, f"nothing matches {selector}")
    there = parts.of_metric(selector.name)
    if not there:
        recorded = parts.recorded(selector.name)
        if recorded is not None:
            cause = _why_empty(recorded, parts)
            return Cause(cause.kind, f"nothing is recorded as {selector.name}: {cause.text}")
        return Cause(
            MISSING_METRIC,
            f"no series of {selector.name} at {text_of(parts.moment)} or up to five minutes before",
        )
    left = list(there)
    for label, sign, value in selector.matchers:
        kept = [sample for sample in left if _matches(sample, label, sign, value)]
        if not kept:
            values = sorted({dict(sample.labels).get(label, "") for sample in left})
            got = ", ".join(f'{label}="{one}"' for one in values[:_SHOWN])
            return Cause(
                LABEL_MISMATCH,
                f'{selector.name} has {got}, and {label}{sign}"{value}" is asked for',
            )
        left = kept
    return Cause(
        LABEL_MISMATCH, f"{selector} has no series with the labels asked for: {_listed(left)}"
    )


def _why_no_pair(node: Node, parts: Subexpressions) -> Cause:
    operator = operator_of(node)
    left, right = children(node)
    got_left, got_right = parts.of(left), parts.of(right)
    if number_of(left) is None and not got_left:
        cause = _why_empty(left, parts)
        if operator == "or":
            other = _why_empty(right, parts)
            return Cause(cause.kind, f"{cause.text}; and {other.text}")
        return cause
    if operator == "unless":
        return Cause(THRESHOLD, f"{shown(right)} holds for all: {_listed(got_right)}")
    if number_of(right) is None and not got_right:
        return _why_empty(right, parts)
    numbers = [
        *(sample.value for sample in (got_left if number_of(left) is None else ())),
        *(sample.value for sample in (got_right if number_of(right) is None else ())),
    ]
    if is_comparison(node) and (number_of(left) is not None or number_of(right) is not None):
        if numbers and all(map(math.isnan, numbers)):
            vector = left if number_of(left) is None else right
            return Cause(NAN, f"{shown(vector)} is NaN, which is {operator} nothing{_zero(vector)}")
        if number_of(right) is not None:
            wanted, got, of = f"{operator} {shown(right)}", got_left, left
        else:
            wanted, got, of = f"{shown(left)} {operator} it", got_right, right
        return Cause(THRESHOLD, f"{shown(of)} is {_listed(got, values=True)}, want {wanted}")
    if not _keys(node, got_left) & _keys(node, got_right):
        return Cause(
            LABEL_MISMATCH,
            f"nothing on the left of {operator!r} has the labels of anything on the right: "
            f"{_listed(got_left)} and {_listed(got_right)}",
        )
    if any(map(math.isnan, numbers)):
        return Cause(NAN, f"{shown(node)} compares {_listed(got_left)} and {_listed(got_right)}")
    return Cause(THRESHOLD, f"{_listed(got_left)}, want {operator} {_listed(got_right)}")


def _zero(node: Node) -> str:
    is_ratio = isinstance(node, pq.BinaryExpr) and operator_of(node) == "/"
    return ": 0 / 0" if is_ratio else ""


def _keys(node: Node, samples: Iterable[Sample]) -> set[tuple[tuple[str, str], ...]]:
    """By what elements of the two sides of an operator find each other."""
    matching = None if node.modifier is None else node.modifier.matching
    names = set() if matching is None else set(matching.labels)
    on = matching is not None and str(matching.type).endswith("Include")
    return {
        tuple(
            (name, value)
            for name, value in sample.labels
            if name != "__name__" and (matching is None or (name in names) == on)
        )
        for sample in samples
    }


def _matches(sample: Sample, label: str, sign: str, value: str) -> bool:
    got = dict(sample.labels).get(label, "")
    if sign in ("=", "!="):
        return (got == value) == (sign == "=")
    return (re.fullmatch(value, got) is not None) == (sign == "=~")


def _label_names(samples: Iterable[Sample]) -> set[str]:
    return {name for sample in samples for name, _ in sample.labels}


def _listed(samples: Iterable[Sample], values: bool = False) -> str:
    listed = list(samples)
    texts = []
    for sample in listed[:_SHOWN]:
        labels = labels_text(tuple(pair for pair in sample.labels if pair[0] != "__name__"))
        texts.append(f"{sample.value:g} {labels}".strip() if values else str(sample))
    more = len(listed) - _SHOWN
    return ", ".join(texts) + (f" and {more} more" if more > 0 else "")
