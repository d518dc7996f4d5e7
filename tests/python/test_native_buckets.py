"""Buckets against exact arithmetic: every bound, one ulp around, also as a scraper sees it."""

from __future__ import annotations

import math
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inferometer as im
from exposition_parsers import parse_delimited
from inferometer._core import native_bucket_index
from native_oracle import at_most, native_bucket, native_counts
from python_collectors import PROTOBUF

SCHEMAS = range(-4, 9)
TINY = 5e-324


def check(value: float, schema: int) -> None:
    index = native_bucket_index(value, schema)
    assert at_most(value, index, schema), (value, schema, index)
    assert not at_most(value, index - 1, schema), (value, schema, index)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_bound_within_a_power_of_two(schema: int) -> None:
    for k in range(1 << max(schema, 0)):
        near = 2.0 ** (k / 2**schema)
        for value in (near, math.nextafter(near, 0), math.nextafter(near, math.inf)):
            check(value, schema)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_bounds_near_the_ends_of_what_a_double_holds(schema: int) -> None:
    for exponent in (-1074, -1073, -1060, -1023, -1022, -1021, -128, -1, 0, 1, 1022, 1023):
        near = 2.0**exponent
        for value in (near, math.nextafter(near, 0) or TINY, math.nextafter(near, math.inf)):
            check(value, schema)
    check(math.nextafter(math.inf, 0), schema)


@given(value=st.floats(min_value=TINY, allow_infinity=False), schema=st.sampled_from([*SCHEMAS]))
def test_any_number(value: float, schema: int) -> None:
    check(value, schema)


# --- through the exposition -----------------------------------------------------------------------


def read(registry: im.Registry) -> Any:
    """The histogram h as protobuf shows it."""
    families = parse_delimited(im.render_metrics(registry, PROTOBUF)[0])
    (family,) = [family for family in families if family.name == "h"]
    return family.metric[0].histogram


def around(value: float) -> tuple[float, float, float]:
    return math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)


@pytest.mark.parametrize("schema", range(-4, 4))
def test_an_applications_histogram_counts_on_both_sides_of_a_bound(schema: int) -> None:
    """140 buckets of a schema, which are twice as many of the next one and more than the limit."""
    registry = im.Registry()
    histogram = registry.histogram("h", native_histograms=True)
    edges = [2.0 ** (k / 2**schema) for k in range(-7, 63)]
    values = [near for edge in edges for near in around(edge)]
    random.Random(schema).shuffle(values)
    for value in values:
        histogram.observe(value)
        histogram.observe(-value)
    shown = read(registry)
    assert shown.schema == schema
    expected = Counter(native_bucket(value, schema) for value in values)
    assert native_counts(shown.positive_span, shown.positive_delta) == expected
    assert native_counts(shown.negative_span, shown.negative_delta) == expected


def test_classic_buckets_hold_their_bound_and_nothing_above() -> None:
    bounds = [-1e300, -0.1, 0.0, 5e-324, 0.1, 1 / 3, 1.0, 1e16, 1.7e308]
    registry = im.Registry()
    histogram = registry.histogram("h", buckets=bounds)
    values = [near for bound in bounds for near in around(bound)]
    for value in values:
        histogram.observe(value)
    for bucket, bound in zip(read(registry).bucket, [*bounds, math.inf], strict=True):
        assert bucket.upper_bound == bound
        assert bucket.cumulative_count == sum(value <= bound for value in values)
