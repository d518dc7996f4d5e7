"""Signs of life, as those of scripts/progress.sh."""

from __future__ import annotations

import time

_started = time.monotonic()


def say(text: str) -> None:
    """Prints a line with the time since the start."""
    print(f"[{time.monotonic() - _started:4.0f} s] {text}", flush=True)
