"""Selectors: which metric, which labels, which range."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from inferometer.monitoring.lint.contradictions import check_matchers
from inferometer.monitoring.lint.durations import duration_text
from inferometer.monitoring.lint.expression import Matcher, Selector
from inferometer.monitoring.lint.function_tables import EXISTENCE, RATES
from inferometer.monitoring.lint.grafana_variables import PLACEHOLDER
from inferometer.monitoring.lint.knowledge import did_you_mean
from inferometer.monitoring.lint.labels import UNKNOWN, Labels
from inferometer.monitoring.lint.samples import CUMULATIVE, SampleInfo, value_unit
from inferometer.monitoring.lint.value import Value

if TYPE_CHECKING:
    from inferometer.monitoring.lint.evaluation import Evaluation


def evaluate(run: Evaluation, node: Selector) -> Value:
    """What is known about the selected series."""
    value = _series(run, node)
    if node.alternatives:
        return replace(value, labels=UNKNOWN, certain=False)
    check_matchers(run, node)
    labels = value.labels
    for matcher in node.matchers:
        labels = _matched(run, node, matcher, labels, value.source)
    return replace(value, labels=labels, certain=value.certain and not node.matchers)


def _series(run: Evaluation, node: Selector) -> Value:
    name = node.name
    if name is None or name.startswith(PLACEHOLDER):
        return Value(existence=True)
    if name in run.knowledge.recorded:
        return run.knowledge.recorded[name]
    sample = run.knowledge.sample(name)
    if sample is None:
        _report_unknown(run, name)
        return Value(existence=True)
    if sample.kind == "histogram" and not run.knowledge.settings.native_histograms:
        run.report(
            "unknown-metric",
            f"got {name}, which is stored as {name}_bucket, _sum and _count: name one of these, "
            "or give --native-histograms",
        )
        return Value()
    _check_buckets(run, sample)
    labels = UNKNOWN
    if sample.labels is not None:
        own = {"job", "instance", *sample.labels}
        labels = Labels(frozenset(own), run.knowledge.target_labels - own)
    return Value(
        labels=labels,
        interval=sample.range,
        unit=value_unit(sample),
        source=sample,
        total=sample.kind in CUMULATIVE - {"bucket"},
        quantile=sample.kind == "quantile",
        filtered=name in ("ALERTS", "ALERTS_FOR_STATE"),
        existence=sample.range.low == sample.range.high,
        certain=True,
    )


def _report_unknown(run: Evaluation, name: str) -> None:
    other = run.knowledge.not_a_histogram(name)
    if other is not None:
        relabelled = (
            "; it exists only where the metric_relabel_configs of configs/prometheus.yml rename "
            "nv_inference_request_latency_us: give that file as --prometheus-config"
            if name == "nv_inference_request_duration_us_bucket"
            else ""
        )
        run.report(
            "bucket-of-counter",
            f"got {name}, but {other.name} is a {other.kind} and has no buckets: take a "
            f"histogram{relabelled}",
        )
    elif run.knowledge.is_missing(name):
        hint = run.knowledge.suggestion(name) or "see docs/metrics.md, or give --metrics"
        run.report(
            "unknown-metric", f"got {name}, want a metric that is exposed or recorded: {hint}"
        )


def _check_buckets(run: Evaluation, sample: SampleInfo) -> None:
    # What is subtracted from itself at another time is the growth, as with increase.
    if sample.kind == "bucket" and not (RATES | EXISTENCE | {"-"}) & set(run.enclosing):
        run.report(
            "bucket-without-rate",
            f"got {sample.name} without rate, all requests since the start: write "
            f"rate({sample.name}[5m])",
        )


def _matched(
    run: Evaluation, node: Selector, matcher: Matcher, labels: Labels, source: SampleInfo | None
) -> Labels:
    label, value = matcher.label, matcher.value
    positive = matcher.op in ("=", "=~")
    if not labels.may_have(label) and not (positive and value == ""):
        known = sorted(labels.sure | labels.maybe)
        hint = did_you_mean(label, known) or f"it has {labels} (--target-labels: those of targets)"
        run.report(
            "unknown-label",
            f"got {{{matcher}}}, but {node.name or 'it'} has no label {label}: {hint}",
        )
        return labels
    if PLACEHOLDER in value:
        return labels
    _check_value(run, matcher, source)
    if matcher.op == "=":
        return labels.drop([label]) if value == "" else labels.with_values({label: value})
    return labels


def _known_values(run: Evaluation, matcher: Matcher, source: SampleInfo | None) -> tuple[str, ...]:
    config = run.knowledge.settings.scrape_config
    if matcher.label == "job" and config is not None:
        return tuple(config.jobs)
    if source is None:
        return ()
    # Leaving out an alert that is not there does no harm.
    if matcher.label == "alertname" and source.name.startswith("ALERTS"):
        return tuple(run.knowledge.alerts) if matcher.op in ("=", "=~") else ()
    return source.values.get(matcher.label, ())


def _check_value(run: Evaluation, matcher: Matcher, source: SampleInfo | None) -> None:
    known = _known_values(run, matcher, source)
    if not known or matcher.value == "":
        return
    if matcher.op in ("=", "!="):
        possible = matcher.value in known
    else:
        try:
            possible = any(re.fullmatch(matcher.value, value) for value in known)
        except re.error:  # RE2 knows syntax that Python does not
            return
    if possible:
        return
    hint = did_you_mean(matcher.value, list(known))
    if matcher.label == "le":
        number = next((v for v in known if _same_number(v, matcher.value)), "")
        hint = f"write {number}" if number else hint
    run.report(
        "unknown-label-value",
        f"got {{{matcher}}}, want one of {', '.join(known)}{': ' + hint if hint else ''}",
    )


def _same_number(known: str, value: str) -> bool:
    try:
        return float(known) == float(value)
    except ValueError:
        return False


def check_range(run: Evaluation, function: str, seconds: float) -> None:
    """Whether a range holds enough scrapes for a rate."""
    scrape = run.knowledge.scrape_interval
    want = f"want at least four scrapes of {duration_text(scrape)}: [{duration_text(4 * scrape)}]"
    got = f"got {function} over {duration_text(seconds)}"
    if seconds < 2 * scrape:
        run.report("range-too-short", f"{got}, in which there are fewer than two scrapes; {want}")
    elif seconds < 4 * scrape and function != "irate":
        run.report(
            "range-too-short",
            f"{got}, which has gaps when a scrape is late; {want}",
            "warning",
        )


def check_window(run: Evaluation, function: str, seconds: float) -> None:
    """Whether a range holds at least one scrape, or two where two are compared."""
    scrape = run.knowledge.scrape_interval
    least = 2 * scrape if function in ("changes", "resets") else scrape
    if seconds < least:
        run.report(
            "range-too-short",
            f"got {function} over {duration_text(seconds)}, in which there may be no scrape to "
            f"look at: want at least {duration_text(least)}",
        )
