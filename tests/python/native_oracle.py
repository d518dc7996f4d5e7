"""Native histogram buckets in exact arithmetic, and as a message's spans and deltas have them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any


def at_most(value: float, index: int, schema: int) -> bool:
    """Whether ``value <= 2 ** (index * 2 ** -schema)``, in integers."""
    mantissa, exponent = value.as_integer_ratio()
    power = 1
    if schema > 0:  # raise both sides to 2 ** schema, which keeps their order
        mantissa, exponent = mantissa ** (1 << schema), exponent ** (1 << schema)
    else:
        power = 1 << -schema
    bound = index * power
    # mantissa / exponent <= 2 ** bound
    return mantissa << max(-bound, 0) <= exponent << max(bound, 0)


def native_bucket(value: float, schema: int) -> int:
    """The bucket of a positive number; infinity has the one above the largest number's."""
    if math.isinf(value):
        return math.ceil(1024 * 2.0**schema) + 1
    index = math.ceil(math.log2(value) * 2.0**schema)  # roughly
    while not at_most(value, index, schema):
        index += 1
    while at_most(value, index - 1, schema):
        index -= 1
    return index


def native_counts(spans: Iterable[Any], deltas: Iterable[int]) -> dict[int, int]:
    """Counts by index, of the buckets that are not empty."""
    counts, index, count = {}, 0, 0
    left = iter(deltas)
    for span in spans:
        index += span.offset
        for _ in range(span.length):
            count += next(left)
            if count:
                counts[index] = count
            index += 1
    assert next(left, None) is None
    return counts
