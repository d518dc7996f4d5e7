"""Waiting for a condition: returns what was accepted, says what was seen last otherwise."""

from __future__ import annotations

import pytest

from polling import wait_until


def test_the_accepted_value_is_returned() -> None:
    values = iter(range(10))
    assert wait_until(lambda: next(values), lambda seen: seen == 3, "three", 60, interval=0) == 3
    assert next(values) == 4


def test_a_condition_is_read_once_even_without_time() -> None:
    assert wait_until(lambda: 1, lambda seen: seen == 1, "one", seconds=0) == 1


def test_what_was_seen_last_is_said() -> None:
    with pytest.raises(AssertionError, match=r"^two: not within 0 s, last seen 1$"):
        wait_until(lambda: 1, lambda seen: seen == 2, "two", seconds=0)
