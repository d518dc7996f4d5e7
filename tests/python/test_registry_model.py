"""Random use of a registry against a plain model, read by parsers that are not ours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics, parse_text
from native_oracle import native_bucket, native_counts
from python_collectors import OPENMETRICS, PROTOBUF
from registry_model import BOUNDS, FAMILIES, HELP, OVERFLOW, Model, Operation, Series

VALUES = st.sampled_from(["x", "y", 'a"b\\\n', "", OVERFLOW])
# Sums of any doubles, infinities and NaN too: what is added one by one is the same everywhere.
NUMBERS = st.floats() | st.sampled_from([*BOUNDS, 0.0, -0.0, 5e-324, 3.0, math.inf, math.nan])
AMOUNTS = st.floats(min_value=0) | st.sampled_from([0.0, 1.0, 0.1])
EXEMPLARS = st.none() | st.fixed_dictionaries({"trace_id": st.text("abé", max_size=4)})
METHODS = {
    "counter": ["inc", "inc", "inc", "remove", "clear"],
    "gauge": ["set", "inc", "dec", "remove", "clear"],
    "histogram": ["observe", "observe", "observe", "remove", "clear"],
}


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    name, kind, labelnames = draw(st.sampled_from(FAMILIES))
    value = draw(VALUES)
    # Different texts for different labels, but few combinations, so that calls meet.
    values = tuple(value if value == OVERFLOW else value + str(i) for i in range(len(labelnames)))
    return Operation(
        name,
        values,
        draw(st.sampled_from(METHODS[kind])),
        draw(AMOUNTS if kind == "counter" else NUMBERS),
        draw(EXEMPLARS) if kind != "gauge" else None,
    )


def same(got: float, expected: float) -> bool:
    """Bit for bit, but for the kind of a NaN."""
    if math.isnan(expected):
        return math.isnan(got)
    return got == expected and math.copysign(1, got) == math.copysign(1, expected)


@settings(max_examples=100, deadline=None)
@given(st.lists(operations(), min_size=4, max_size=40))
def test_every_format_shows_what_the_model_holds(calls: list[Operation]) -> None:
    model = Model()
    for call in calls:
        model.do(call)
    for accept in ("", "text/plain;version=1.0.0"):
        check_text(model, parse_text(im.render_metrics(model.registry, accept)[0]), strict=False)
    body = im.render_metrics(model.registry, OPENMETRICS)[0]
    assert body.count(b"# EOF") == 1
    assert body.endswith(b"\n# EOF\n")
    check_text(model, parse_openmetrics(body), strict=True)
    check_protobuf(model, parse_delimited(im.render_metrics(model.registry, PROTOBUF)[0]))
    assert model.registry.sample_value("inferometer_dropped_series_total") == model.dropped


# --- text -----------------------------------------------------------------------------------------


def expected_samples(
    name: str, kind: str, labels: dict[str, str], series: Series, strict: bool
) -> Iterator[tuple[str, dict[str, str], float, int]]:
    """Name, labels, value and bucket of each sample of a series, in their order."""
    if kind != "histogram":
        yield name + ("_total" if kind == "counter" else ""), labels, series.value, 0
        return
    cumulative = series.cumulative()
    for bucket, le in enumerate([*map(str, BOUNDS), "+Inf"]):
        yield name + "_bucket", {**labels, "le": le}, cumulative[bucket], bucket
    # OpenMetrics has neither where a bound is negative.
    if not strict:
        yield name + "_sum", labels, series.sum, -1
        yield name + "_count", labels, cumulative[-1], -1


def check_text(model: Model, families: list[Metric], strict: bool) -> None:
    found = {family.name: family for family in families}
    assert len(found) == len(families)
    for name, kind, labelnames in FAMILIES:
        held = model.families[name]
        if not held:
            assert name not in found
            continue
        family = found[name]
        assert (family.type, family.documentation) == (kind, HELP)
        unit = name.rpartition("_")[2] if "_" in name else ""
        assert family.unit == (unit if strict else "")
        expected = [
            one
            for values, series in held.items()
            for one in expected_samples(
                name, kind, dict(zip(labelnames, values, strict=True)), series, strict
            )
        ]
        created = [sample for sample in family.samples if sample.name.endswith("_created")]
        assert len(created) == (len(held) if strict and kind != "gauge" else 0)
        samples = [sample for sample in family.samples if sample not in created]
        assert [(s.name, s.labels) for s in samples] == [one[:2] for one in expected]
        per_series = len(samples) // len(held)
        exemplars = [series.exemplars for series in held.values() for _ in range(per_series)]
        for sample, (_, _, value, bucket), kept in zip(samples, expected, exemplars, strict=True):
            assert same(sample.value, value), sample
            if not strict or bucket not in kept:
                assert sample.exemplar is None
                continue
            labels, amount = kept[bucket]
            assert sample.exemplar is not None
            assert sample.exemplar.labels == labels
            assert same(sample.exemplar.value, amount)


# --- protobuf -------------------------------------------------------------------------------------


def check_protobuf(model: Model, families: Iterable[Any]) -> None:
    found = {family.name: family for family in families}
    for name, kind, labelnames in FAMILIES:
        held = model.families[name]
        shown = name + "_total" if kind == "counter" else name
        if not held:
            assert shown not in found
            continue
        family = found[shown]
        assert family.help == HELP
        assert [
            tuple((label.name, label.value) for label in metric.label) for metric in family.metric
        ] == [tuple(zip(labelnames, values, strict=True)) for values in held]
        for metric, series in zip(family.metric, held.values(), strict=True):
            if kind == "gauge":
                assert same(metric.gauge.value, series.value)
            elif kind == "counter":
                assert same(metric.counter.value, series.value)
                check_exemplar(metric.counter, series, 0)
            else:
                check_histogram(metric.histogram, series)


def check_exemplar(holder: Any, series: Series, bucket: int) -> None:
    assert holder.HasField("exemplar") == (bucket in series.exemplars)
    if bucket in series.exemplars:
        labels, amount = series.exemplars[bucket]
        assert {label.name: label.value for label in holder.exemplar.label} == labels
        assert same(holder.exemplar.value, amount)
        assert holder.exemplar.timestamp.seconds > 1_700_000_000


def check_histogram(read: Any, series: Series) -> None:
    assert read.sample_count == len(series.observed)
    assert same(read.sample_sum, series.sum)
    cumulative = series.cumulative()
    bounds = [bucket.upper_bound for bucket in read.bucket]
    assert bounds == [*BOUNDS, math.inf]
    for index, bucket in enumerate(read.bucket):
        assert bucket.cumulative_count == cumulative[index]
        check_exemplar(bucket, series, index)
    numbers = [value for value in series.observed if not math.isnan(value)]
    assert read.zero_count == sum(abs(value) <= read.zero_threshold for value in numbers)
    for sign, spans, deltas in (
        (1, read.positive_span, read.positive_delta),
        (-1, read.negative_span, read.negative_delta),
    ):
        expected: dict[int, int] = {}
        for value in numbers:
            if sign * value > read.zero_threshold:
                index = native_bucket(sign * value, read.schema)
                expected[index] = expected.get(index, 0) + 1
        assert native_counts(spans, deltas) == expected
