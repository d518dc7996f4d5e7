"""Waiting for a condition that only asking can show, with a deadline and a message."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


def wait_until(
    read: Callable[[], _Seen],
    accept: Callable[[_Seen], bool],
    what: str,
    seconds: float,
    interval: float = 0.05,
) -> _Seen:
    """Reads until a value is accepted and returns it; says what it read last otherwise."""
    give_up = time.monotonic() + seconds
    while True:
        seen = read()
        if accept(seen):
            return seen
        if time.monotonic() >= give_up:
            raise AssertionError(f"{what}: not within {seconds:g} s, last seen {seen!r}")
        time.sleep(interval)
