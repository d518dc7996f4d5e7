"""How requests are gathered into batches, and what they look like."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

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
        check_seconds("max_queue_delay", self.max_queue_delay)
        if self.default_timeout is not None:
            check_seconds("default_timeout", self.default_timeout, "seconds or None")


@dataclass(frozen=True, slots=True)
class Spec:
    """What an input looks like.

    Attributes:
        name: Its name; a callable with several inputs gets it as a keyword.
        dtype: The element type, as numpy takes it: ``"float32"``, ``np.int64``, ... Kept as
            numpy's name.
        shape: Rows first; -1 is any size. ``(-1, 64)``: any number of rows of 64.

    Raises:
        ConfigError: An attribute of the wrong type, or a shape that does not begin with rows.
    """

    name: str
    dtype: str
    shape: Sequence[int]

    def __post_init__(self) -> None:
        """Checks the types and turns ``dtype`` into numpy's name."""
        check_text("name of an input", self.name)
        object.__setattr__(self, "dtype", self._dtype_name())
        try:
            shape = tuple(operator.index(size) for size in self.shape)
        except TypeError:
            shape = ()
        if not shape or shape[0] not in (-1, 1):
            raise ConfigError(
                f"input {self.name!r}: got shape {self.shape!r}, want rows first: (-1, ...), "
                "or (1, ...) for a model that takes one row at a time"
            )
        object.__setattr__(self, "shape", shape)

    def _dtype_name(self) -> str:
        try:
            dtype = np.dtype(self.dtype)
            if self.dtype is not None and dtype.isnative:
                return str(dtype.name)
        except (TypeError, ValueError, SyntaxError):
            pass
        raise ConfigError(
            f"input {self.name!r}: got dtype {self.dtype!r}, want bool, an integer or float16, "
            "float32, float64"
        )


def check_text(option: str, got: object) -> None:
    """Refuses what is not text that has a UTF-8 form.

    Raises:
        ConfigError: If ``got`` is not a str, or has lone surrogates.
    """
    if not isinstance(got, str):
        raise ConfigError(f"{option}: got {got!r}, want a str")
    if not got.isascii() and any("\ud800" <= char <= "\udfff" for char in got):
        raise ConfigError(f"{option}: got {got!r}, want text without lone surrogates")


def check_seconds(option: str, got: object, want: str = "seconds") -> None:
    """Refuses what is not a number.

    Raises:
        ConfigError: If ``got`` is not a real number.
    """
    if isinstance(got, bool) or not isinstance(got, SupportsFloat):
        raise ConfigError(f"{option}: got {got!r}, want {want}")


def not_there_yet(option: str, got: object, only: object) -> None:
    """Refuses a value of an option whose feature does not exist yet.

    Raises:
        ConfigError: If ``got`` is not ``only``.
    """
    if got != only:
        raise ConfigError(f"{option}: got {got!r}, want {only!r}: anything else is not there yet")
