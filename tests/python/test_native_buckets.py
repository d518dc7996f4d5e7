"""Native buckets against exact arithmetic: every bound of every schema, one ulp around."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inferometer._core import native_bucket_index
from native_oracle import at_most

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
