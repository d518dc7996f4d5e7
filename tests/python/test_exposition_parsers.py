"""The independent parsers, tried on what we did not write: worked bytes and prometheus_client."""

from __future__ import annotations

import math
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from exposition_parsers import parse_delimited, parse_openmetrics, parse_text
from metrics_schema import MetricFamily
from native_histogram_bytes import NATIVE_HISTOGRAM


def native_buckets(histogram: Any) -> dict[int, int]:
    """Counts by bucket index of the positive side, from spans and deltas."""
    counts: dict[int, int] = {}
    deltas = iter(histogram.positive_delta)
    index = count = 0
    for span in histogram.positive_span:
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            counts[index] = count
            index += 1
    assert list(deltas) == []
    return counts


@pytest.fixture
def registry() -> CollectorRegistry:
    """A counter with an exemplar and a histogram, made by prometheus_client."""
    registry = CollectorRegistry()
    counter = Counter("jobs", "Jobs.", ["kind"], registry=registry)
    counter.labels('a "b"\\\n').inc(3, exemplar={"trace_id": "abc"})
    histogram = Histogram("wait_seconds", "Waiting.", registry=registry, buckets=(0.5, 2))
    for value in (0.25, 1, 4):
        histogram.observe(value)
    return registry


def test_a_native_histogram_is_read_field_by_field() -> None:
    assert len(NATIVE_HISTOGRAM) == 109
    (family,) = parse_delimited(NATIVE_HISTOGRAM)
    assert (family.name, family.help, family.unit) == ("lat_seconds", "Latency.", "seconds")
    assert family.type == 4
    (metric,) = family.metric
    assert [(pair.name, pair.value) for pair in metric.label] == [("m", "x")]
    assert not metric.HasField("counter")
    histogram = metric.histogram
    assert (histogram.sample_count, histogram.sample_sum) == (14, 12.5)
    assert (histogram.schema, histogram.zero_threshold) == (3, math.ldexp(1, -128))
    assert histogram.HasField("zero_count") and histogram.zero_count == 0
    assert not histogram.HasField("sample_count_float")
    assert native_buckets(histogram) == {-2: 3, -1: 5, 2: 1, 4: 3, 5: 2}
    assert histogram.start_timestamp.seconds == 1_700_000_000


def test_several_families_follow_each_other() -> None:
    families = parse_delimited(NATIVE_HISTOGRAM * 3)
    assert [family.name for family in families] == ["lat_seconds"] * 3
    assert parse_delimited(b"") == []
    # A length of two bytes.
    long = MetricFamily(name="a", help="h" * 300).SerializeToString()
    assert len(long) > 127
    framed = bytes([len(long) & 0x7F | 0x80, len(long) >> 7]) + long
    assert [family.name for family in parse_delimited(framed + NATIVE_HISTOGRAM)] == [
        "a",
        "lat_seconds",
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (NATIVE_HISTOGRAM[:-1], "got 107 bytes, want 108"),
        (NATIVE_HISTOGRAM + b"\x05\x0a", "message at byte 110: got 1 bytes, want 5"),
        (b"\x80", "want a varint of 1 to 5 bytes"),
        (b"\xff\xff\xff\xff\xff\x01", "want a varint of 1 to 5 bytes"),
        (b"\x02\x0a\x05", "family 0"),
        (b"\x02\x30\x01", "unknown fields"),
        (b"\x06\x22\x04\x3a\x02\x78\x01", "unknown"),
    ],
    ids=["cut", "cut-second", "no-length", "long-length", "cut-field", "unknown", "unknown-inside"],
)
def test_a_wrong_body_is_refused_with_the_reason(body: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_delimited(body)


def test_deltas_may_also_be_packed() -> None:
    packed = bytes.fromhex("0b 2209 3a07 6a05 06 04 07 04 01")
    (family,) = parse_delimited(packed)
    assert list(family.metric[0].histogram.positive_delta) == [3, 2, -4, 2, -1]


def test_text_is_read(registry: CollectorRegistry) -> None:
    families = {family.name: family for family in parse_text(generate_latest(registry))}
    jobs = {s.name: s for s in families["jobs"].samples}
    assert families["jobs"].type == "counter"
    assert jobs["jobs_total"].labels == {"kind": 'a "b"\\\n'}
    assert jobs["jobs_total"].value == 3
    waits = families["wait_seconds"].samples
    assert [s.value for s in waits if s.name == "wait_seconds_bucket"] == [1, 2, 3]


def test_openmetrics_is_read(registry: CollectorRegistry) -> None:
    body = generate_openmetrics(registry)  # type: ignore[no-untyped-call]
    families = {family.name: family for family in parse_openmetrics(body)}
    (total,) = (s for s in families["jobs"].samples if s.name == "jobs_total")
    assert total.exemplar is not None
    assert total.exemplar.labels == {"trace_id": "abc"}


@pytest.mark.parametrize(
    "body",
    [
        b"# TYPE a counter\na_total 1\n",
        b"# TYPE a counter\na_total 1\n# EOF\na_total 1\n",
        b"# EOF\n# EOF\n",
        b"# TYPE a counter\na 1\n# EOF\n",
        b"# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
        b'# TYPE a histogram\na_bucket{le="1.0"} 1\n# EOF\n',
        b'# TYPE a gauge\na 1 # {trace_id="x"} 1\n# EOF\n',
    ],
    ids=["no-eof", "after-eof", "two-eof", "no-total", "unit", "no-infinity", "exemplar"],
)
def test_the_openmetrics_parser_is_strict(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_openmetrics(body)
