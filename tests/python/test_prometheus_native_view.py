"""The metrics of inferometer.prometheus as the native exposition shows them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import prometheus_client
import pytest
from hypothesis import given, settings

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics, parse_text
from inferometer import prometheus
from inferometer.prometheus import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    generate_latest,
)
from inferometer.prometheus.openmetrics import exposition as openmetrics
from python_collectors import OPENMETRICS, PROTOBUF
from test_prometheus_oracle import BUCKETS, Family, families, play


@pytest.fixture
def counter() -> Iterator[Counter]:
    made = Counter("view_bytes", "Bytes.", ["path", "code"], unit="bytes")
    yield made
    if made in REGISTRY.collectors():
        REGISTRY.unregister(made)


def value(name: str, **labels: str) -> float | None:
    return im.default_registry().sample_value(name, labels)


def test_every_format_shows_them(counter: Counter) -> None:
    histogram = Histogram("view_seconds", "Wait.", ["z", "a"], buckets=[1])
    summary = Summary("view_sizes", "Sizes.")
    try:
        counter.labels('"/\n', 200).inc(3, exemplar={"trace_id": "abc"})
        histogram.labels("1", "2").observe(0.5, exemplar={"trace_id": "def"})
        summary.observe(4)
        for body in (im.render_metrics()[0], im.render_metrics(accept=OPENMETRICS)[0]):
            assert body.count(b"# TYPE view_bytes") == 1
        text = {family.name: family for family in parse_text(im.render_metrics()[0])}
        (sample,) = text["view_bytes"].samples
        assert sample.labels == {"path": '"/\n', "code": "200"}
        assert sample.value == 3
        strict = {f.name: f for f in parse_openmetrics(im.render_metrics(accept=OPENMETRICS)[0])}
        assert strict["view_bytes"].unit == "bytes"
        exemplar = strict["view_bytes"].samples[0].exemplar
        assert exemplar is not None
        assert exemplar.labels == {"trace_id": "abc"}
        buckets = [s for s in strict["view_seconds"].samples if s.name.endswith("_bucket")]
        assert [(s.labels["le"], s.value) for s in buckets] == [("1.0", 1), ("+Inf", 1)]
        assert strict["view_sizes"].type == "summary"
        families = {f.name: f for f in parse_delimited(im.render_metrics(accept=PROTOBUF)[0])}
        (metric,) = families["view_bytes_total"].metric
        assert {label.name: label.value for label in metric.label} == sample.labels
        assert families["view_seconds"].metric[0].histogram.sample_sum == 0.5
        assert families["view_sizes"].metric[0].summary.sample_count == 1
    finally:
        REGISTRY.unregister(histogram)
        REGISTRY.unregister(summary)


def test_generate_latest_shows_them_once(counter: Counter) -> None:
    counter.labels("a", "b").inc()
    for body in (generate_latest(), openmetrics.generate_latest()):
        assert body.count(b"view_bytes_total{") == 1
    assert im.render_metrics()[0].count(b"view_bytes_total{") == 1


def test_what_is_unregistered_or_elsewhere_is_not_shown(counter: Counter) -> None:
    counter.labels("a", "b").inc()
    assert value("view_bytes_total", path="a", code="b") == 1
    REGISTRY.unregister(counter)
    assert value("view_bytes_total", path="a", code="b") is None
    im.Registry().gauge("view_bytes")  # of another registry
    REGISTRY.register(counter)
    assert value("view_bytes_total", path="a", code="b") == 1
    elsewhere = Gauge("view_elsewhere", "h", registry=CollectorRegistry())
    elsewhere.set(1)
    assert value("view_elsewhere") is None


def test_a_function_leaves_the_native_view() -> None:
    gauge = Gauge("view_function", "h")
    try:
        gauge.set(1)
        assert value("view_function") == 1
        gauge.set_function(lambda: 2)
        assert b"view_function 1.0" not in im.render_metrics()[0]
        assert b"view_function 2.0" in generate_latest()
    finally:
        REGISTRY.unregister(gauge)


def test_children_beyond_the_limit_share_the_overflow_series() -> None:
    registry = im.default_registry()
    limit = registry.max_series_per_family
    before = registry.sample_value("inferometer_dropped_series_total")
    counter = Counter("view_limited", "h", ["a", "b"], registry=None)
    registry.max_series_per_family = 2
    try:
        for i in range(1000):
            counter.labels(str(i), "x").inc()
        assert counter.labels("0", "x")._value.get() == 1
        assert counter.labels("500", "x") is counter.labels("_overflow", "_overflow")
        assert counter.labels("999", "x")._value.get() == 998
        assert len(counter._metrics) == 3
        assert before is not None
        assert registry.sample_value("inferometer_dropped_series_total") == before + 1000
        counter.remove("0", "x")
        assert counter.labels("500", "x")._value.get() == 0
        counter.clear()
        assert not counter._metrics
    finally:
        registry.max_series_per_family = limit


# --- random use, compared with prometheus_client --------------------------------------------------

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(family: Any) -> Samples:
    """By name and labels, without times of making."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def exemplars_of(family: Any) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.exemplar.labels, float(sample.exemplar.value))  # theirs may be an int
        for sample in family.samples
        if sample.exemplar
    ]


def exemplars_of_message(message: Any) -> list[tuple[dict[str, str], float]]:
    holders = [
        holder
        for metric in message.metric
        for holder in (*metric.histogram.bucket, metric.counter)
        if holder.HasField("exemplar")
    ]
    return [
        ({label.name: label.value for label in holder.exemplar.label}, holder.exemplar.value)
        for holder in holders
    ]


def same(got: Samples, expected: Samples) -> bool:
    """Equal, where NaN is NaN. A count and a sum that prometheus_client hides may be there."""
    hidden = {key for key in got.keys() - expected.keys() if key[0].endswith(("_sum", "_count"))}
    return got.keys() - hidden == expected.keys() and all(
        got[key] == value or (math.isnan(got[key]) and math.isnan(value))
        for key, value in expected.items()
    )


@settings(max_examples=40, deadline=None)
@given(families(native=True), BUCKETS)
def test_random_use_is_seen_as_prometheus_client_sees_it(
    family: Family, buckets: list[float]
) -> None:
    (theirs,) = play(prometheus_client, family, buckets).collect()
    before = set(REGISTRY.collectors())
    play(prometheus, family, buckets, REGISTRY)
    try:
        bodies = {accept: im.render_metrics(accept=accept)[0] for accept in ("", OPENMETRICS)}
        messages = parse_delimited(im.render_metrics(accept=PROTOBUF)[0])
    finally:
        for made in set(REGISTRY.collectors()) - before:
            REGISTRY.unregister(made)

    shown = theirs.name + ("_total" if family.kind == "Counter" else "")
    message = {one.name: one for one in messages}.get(shown)
    text = {one.name: one for one in parse_text(bodies[""])}.get(theirs.name)
    if not theirs.samples:
        assert message is None and text is None
        return
    assert message is not None and text is not None
    assert (text.type, message.help) == (family.kind.lower(), family.help)
    assert same(samples_of(text), samples_of(theirs))
    expected = exemplars_of(theirs)
    assert exemplars_of_message(message) == expected
    # The strict parser knows no escapes in exemplars, and refuses sums that are NaN or negative.
    escaped = any(set(value) & set('"\\\n') for labels, _ in expected for value in labels.values())
    sums = [value for (name, _), value in samples_of(theirs).items() if name.endswith("_sum")]
    if escaped or not all(value >= 0 for value in sums):
        return
    strict = {one.name: one for one in parse_openmetrics(bodies[OPENMETRICS])}[theirs.name]
    in_strict = samples_of(theirs)
    if family.kind == "Histogram" and buckets[0] < 0:  # then the format has no count either
        in_strict = {key: value for key, value in in_strict.items() if "_bucket" in key[0]}
    assert same(samples_of(strict), in_strict)
    assert exemplars_of(strict) == expected
