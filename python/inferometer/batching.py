"""How requests are gathered into batches, and what they look like."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, SupportsFloat

import numpy as np

from inferometer._core import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class QueuePolicy:
    """Rules for the requests of one priority level that wait.

    Attributes:
        max_queue_size: Requests that may wait in this level; the next one is refused with
            ``QueueFullError``. None: as many as there is room for in all.
        timeout: Seconds that a request may wait. What is with the model already is not touched.
            None: as long as it takes.
        timeout_action: ``"reject"``: who has waited for too long ends with
            ``DeadlineExceededError``; ``"delay"``: goes behind all levels.
        allow_timeout_override: A request's own timeout, where it is smaller or there is no other,
            takes the place of ``timeout``.

    Raises:
        ConfigError: An attribute of the wrong type. Numbers are checked by who gets the policy.
    """

    max_queue_size: int | None = None
    timeout: float | None = None
    timeout_action: Literal["reject", "delay"] = "reject"
    allow_timeout_override: bool = False

    def __post_init__(self) -> None:
        """Checks the types."""
        if self.max_queue_size is not None:
            check_int("max_queue_size", self.max_queue_size, "an int or None")
        if self.timeout is not None:
            check_seconds("timeout", self.timeout, "seconds or None")
        if self.timeout_action not in ("reject", "delay"):
            raise ConfigError(
                f"timeout_action: got {self.timeout_action!r}, want 'reject' or 'delay'"
            )
        check_bool("allow_timeout_override", self.allow_timeout_override)


@dataclass(frozen=True, slots=True)
class Padding:
    """Lets requests of different lengths share a batch.

    Attributes:
        axis: The axis along which lengths differ, the rows being axis 0.
        value: What shorter inputs are filled with, up to the longest of the batch.
        buckets: Ascending lengths: only requests that fall between the same two share a batch. A
            length belongs to the first that is not smaller. Any iterable of ints; kept as a tuple.
        trim_outputs: Cuts outputs that are as long as the padded batch back to each request's own
            length.

    Raises:
        ConfigError: An attribute of the wrong type. Numbers are checked by who gets the padding.
    """

    axis: int = 1
    value: float = 0.0
    buckets: tuple[int, ...] = ()
    trim_outputs: bool = False

    def __post_init__(self) -> None:
        """Checks the types."""
        check_int("axis", self.axis)
        check_seconds("value", self.value, "a number")
        object.__setattr__(self, "buckets", tuple_of_ints("buckets", self.buckets))
        check_bool("trim_outputs", self.trim_outputs)


@dataclass(frozen=True, slots=True)
class Batching:
    """Options of the batcher, in the words of Triton's dynamic batcher.

    The rules are in docs/batching.md.

    Attributes:
        max_batch_size: Rows in one batch at most.
        max_queue_delay: Seconds that the oldest waiting request may wait for company. 0: never
            wait, send what is there as soon as the model is free.
        preferred_batch_sizes: Numbers of rows, ascending, that are worth sending at once. Any
            iterable of ints; kept as a tuple.
        max_queue_size: Requests that may wait; the next one is refused with ``QueueFullError``.
        max_queue_bytes: Bytes of inputs that may wait; None: any number.
        default_timeout: Seconds until the deadline of a request that names none; None: no deadline.
        priority_levels: Levels are 1 (served first) to this one; 0: requests have no priorities.
        default_priority_level: Of requests that name none; 0: the middle one.
        default_queue_policy: For every level that has none of its own.
        priority_queue_policy: By level, for those that have one.
        padding: For inputs of different lengths; None: requests of different shapes never share a
            batch.
        merge_requests: False: each request is a batch of its own, of up to ``max_batch_size`` rows,
            however many wait; then there are no delay, no preferred sizes and no padding.

    Raises:
        ConfigError: An attribute of the wrong type. Numbers are checked by who gets the batching.
    """

    max_batch_size: int = 64
    max_queue_delay: float = 0.0
    preferred_batch_sizes: tuple[int, ...] = ()
    max_queue_size: int = 1024
    max_queue_bytes: int | None = None
    default_timeout: float | None = None
    priority_levels: int = 0
    default_priority_level: int = 0
    default_queue_policy: QueuePolicy = field(default_factory=QueuePolicy)
    priority_queue_policy: Mapping[int, QueuePolicy] = field(default_factory=dict, hash=False)
    padding: Padding | None = None
    merge_requests: bool = True

    def __post_init__(self) -> None:
        """Checks the types."""
        check_int("max_batch_size", self.max_batch_size)
        check_seconds("max_queue_delay", self.max_queue_delay)
        sizes = tuple_of_ints("preferred_batch_sizes", self.preferred_batch_sizes)
        object.__setattr__(self, "preferred_batch_sizes", sizes)
        check_int("max_queue_size", self.max_queue_size)
        if self.max_queue_bytes is not None:
            check_int("max_queue_bytes", self.max_queue_bytes, "an int or None")
        if self.default_timeout is not None:
            check_seconds("default_timeout", self.default_timeout, "seconds or None")
        check_int("priority_levels", self.priority_levels)
        check_int("default_priority_level", self.default_priority_level)
        check_policy("default_queue_policy", self.default_queue_policy)
        if not isinstance(self.priority_queue_policy, Mapping):
            raise ConfigError(
                f"priority_queue_policy: got {self.priority_queue_policy!r}, want a dict by level"
            )
        policies = dict(self.priority_queue_policy)  # our own: the caller's may change
        for level, policy in policies.items():
            check_int("priority_queue_policy: level", level)
            check_policy(f"priority_queue_policy[{level}]", policy)
        object.__setattr__(self, "priority_queue_policy", policies)
        if self.padding is not None and not isinstance(self.padding, Padding):
            raise ConfigError(f"padding: got {self.padding!r}, want inferometer.Padding or None")
        check_bool("merge_requests", self.merge_requests)


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


def spec_tuples(specs: Iterable[Spec] | None) -> list[tuple[str, str, list[int]]]:
    """What the native core takes for ``inputs=``.

    Raises:
        ConfigError: If they are no list of Specs.
    """
    if specs is None:
        return []
    if not isinstance(specs, Iterable) or isinstance(specs, np.ndarray):
        raise ConfigError(f"inputs: got {specs!r}, want a list of inferometer.Spec")
    kept = list(specs)
    for spec in kept:
        if not isinstance(spec, Spec):
            raise ConfigError(f"inputs: got {spec!r}, want inferometer.Spec")
    return [(spec.name, spec.dtype, list(spec.shape)) for spec in kept]


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
    try:
        float(got)
    except OverflowError:
        raise ConfigError(
            f"{option}: got an int that no float can hold, want a smaller one"
        ) from None
    except (TypeError, ValueError):  # an array of several numbers, for one
        raise ConfigError(f"{option}: got {got!r}, want {want}") from None


def check_int(option: str, got: object, want: str = "an int") -> None:
    """Refuses what is not an int.

    Raises:
        ConfigError: If ``got`` is no int, or a bool.
    """
    if not isinstance(got, int) or isinstance(got, bool):
        raise ConfigError(f"{option}: got {got!r}, want {want}")


def check_bool(option: str, got: object) -> None:
    """Refuses what is not True or False.

    Raises:
        ConfigError: If ``got`` is no bool.
    """
    if not isinstance(got, bool):
        raise ConfigError(f"{option}: got {got!r}, want True or False")


def check_policy(option: str, got: object) -> None:
    """Refuses what is not a queue policy.

    Raises:
        ConfigError: If ``got`` is no QueuePolicy.
    """
    if not isinstance(got, QueuePolicy):
        raise ConfigError(f"{option}: got {got!r}, want inferometer.QueuePolicy")


def tuple_of_ints(option: str, got: object) -> tuple[int, ...]:
    """What an option that takes several ints was given.

    Raises:
        ConfigError: If ``got`` is not an iterable of ints.
    """
    if not isinstance(got, Iterable):
        raise ConfigError(f"{option}: got {got!r}, want ints")
    numbers = tuple(got)
    for number in numbers:
        check_int(option, number, "ints")
    return numbers
