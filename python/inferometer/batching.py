"""How requests are gathered into batches, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inferometer._core import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Batching:
    """Options of the batcher, in the words of Triton's dynamic batcher.

    Attributes:
        max_batch_size: Rows in one batch at most.
        max_queue_delay: Seconds that the oldest waiting request may wait for company. 0: never
            wait, send what is there as soon as the model is free.
        preferred_batch_sizes: Not there yet: only ``()``.
        max_queue_size: Requests that may wait; the next one is refused with ``QueueFullError``.
        default_timeout: Seconds until the deadline of a request that names none; None: no deadline.
        priority_levels: Not there yet: only 0.

    Raises:
        ConfigError: An option whose feature is not there yet. The values themselves are checked by
            the engine that gets them.
    """

    max_batch_size: int = 64
    max_queue_delay: float = 0.0
    preferred_batch_sizes: tuple[int, ...] = ()
    max_queue_size: int = 1024
    default_timeout: float | None = None
    priority_levels: int = 0

    def __post_init__(self) -> None:
        """Refuses what cannot be had yet."""
        for option, got, only in (
            ("preferred_batch_sizes", tuple(self.preferred_batch_sizes), ()),
            ("priority_levels", self.priority_levels, 0),
        ):
            not_there_yet(option, got, only)
        for option, number in (
            ("max_batch_size", self.max_batch_size),
            ("max_queue_size", self.max_queue_size),
        ):
            if not isinstance(number, int) or isinstance(number, bool):
                raise ConfigError(f"{option}: got {number!r}, want an int")


@dataclass(frozen=True, slots=True)
class Spec:
    """What an input looks like.

    Attributes:
        name: Its name; a callable with several inputs gets it as a keyword.
        dtype: numpy's name of the element type: ``"float32"``, ``"int64"``, ``"bool"``, ...
        shape: Rows first; -1 is any size. ``(-1, 64)``: any number of rows of 64.
    """

    name: str
    dtype: str
    shape: Sequence[int]


def not_there_yet(option: str, got: object, only: object) -> None:
    """Refuses a value of an option whose feature does not exist yet.

    Raises:
        ConfigError: If ``got`` is not ``only``.
    """
    if got != only:
        raise ConfigError(f"{option}: got {got!r}, want {only!r}: anything else is not there yet")
