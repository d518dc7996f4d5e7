"""What is measured, by name: a group is a set of designs that take turns."""

from __future__ import annotations

from typing import Final

NATIVE: Final = "native"
NUMPY: Final = "numpy"
THREADS: Final = (16, 64)
MANY: Final = (1_000, 100_000)
SATURATING_TASKS: Final = ("64 asyncio callers", "256 asyncio callers")
SATURATING_THREADS: Final = "64 Python threads"

LONE_CPP: Final = "lone blocking call, C++"
LONE_CPP_SILENT: Final = "lone blocking call, C++, recording nothing"
LONE_NATIVE: Final = "lone blocking call, Python, native tiny"
LONE_PYTHON: Final = "lone blocking call, Python, Python model of no work"
LONE_NO_WORK: Final = "lone blocking call, Python, native model of no work, all of it"
AWAIT_INLINE: Final = "lone await, native tiny, inline"
AWAIT_WORKER: Final = "lone await, native tiny, through a worker"
IDLE: Final = "idle engine, context switches"


def asyncio_callers(model: str) -> str:
    """Sixty-four tasks; seconds a request."""
    return f"64 asyncio callers, {model} tiny"


def in_flight(callers: int) -> str:
    """So many tasks on native `tiny`; seconds a request."""
    return f"{callers:,} in flight, native tiny"


def in_flight_cost(callers: int) -> str:
    """What a request costs among so many, as times of what it costs among 64."""
    return f"{in_flight(callers)}, cost against 64"


def python_threads(count: int, model: str) -> str:
    """Calls a second."""
    return f"{count} Python threads, {model} tiny"


def cpp_threads(count: int) -> str:
    """Calls a second."""
    return f"{count} C++ threads, native tiny"


def p50(threads: str) -> str:
    """Of the same turn as the calls a second; seconds."""
    return f"{threads}, P50"


def p99(threads: str) -> str:
    """Of the same turn as the calls a second; seconds."""
    return f"{threads}, P99"


def evenness(threads: str) -> str:
    """Calls of the slowest thread as a share of the fastest one's."""
    return f"{threads}, slowest against fastest"


def of_threads(threads: str) -> tuple[str, ...]:
    """All that is measured of threads in one turn."""
    return threads, p50(threads), p99(threads), evenness(threads)


# How the engine is set: its defaults; a delay; the loop runs every batch itself, as the peer does.
DEFAULT: Final = "delay 0 ms"
DELAYED: Final = "delay 2 ms"
ON_THE_LOOP: Final = "run by the loop"


def saturation(callers: str, how: str) -> str:
    """Rate on `mid` as a share of the bare batch-64 rate."""
    return f"saturation, mid, {callers}, {how}"
