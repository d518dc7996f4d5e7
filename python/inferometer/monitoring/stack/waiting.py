"""Waiting for what only asking can show: a deadline, and the last thing that was seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Seen = TypeVar("_Seen")


class WaitError(TimeoutError):
    """What was waited for did not come in time; the text says what was seen last."""


def wait_until(
    read: Callable[[], _Seen],
    accept: Callable[[_Seen], bool],
    what: str,
    seconds: float,
    interval: float = 0.05,
) -> _Seen:
    """Reads until a value is accepted and returns it.

    Args:
        read: Asks. What it raises ends the wait.
        accept: Whether that is what was waited for.
        what: For the message.
        seconds: How long to go on asking.
        interval: Seconds between two questions.

    Raises:
        WaitError: Not within ``seconds``.
    """
    give_up = time.monotonic() + seconds
    while True:
        seen = read()
        if accept(seen):
            return seen
        if time.monotonic() >= give_up:
            raise WaitError(f"{what}: not within {seconds:g} s, last seen {seen!r}")
        time.sleep(interval)
