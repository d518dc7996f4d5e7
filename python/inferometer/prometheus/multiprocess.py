"""prometheus_client's multiprocess mode, which is not there yet."""

from __future__ import annotations

from typing import NoReturn

from inferometer._core import ConfigError


def _refuse(name: str) -> NoReturn:
    raise ConfigError(
        f"{name}: inferometer.prometheus has no multiprocess mode yet; "
        "scrape each process on a port of its own"
    )


class MultiProcessCollector:
    """Raises ConfigError: every process would show its own numbers only."""

    def __init__(self, registry: object, path: str | None = None) -> None:
        _refuse("MultiProcessCollector")


def mark_process_dead(pid: int, path: str | None = None) -> None:
    """Raises ConfigError, as there are no files of other processes."""
    _refuse("mark_process_dead")
