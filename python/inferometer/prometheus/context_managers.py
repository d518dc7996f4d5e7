"""What ``time()``, ``track_inprogress()`` and ``count_exceptions()`` return.

Each is a context manager and a decorator. Decorated functions keep their signature; decorated
coroutine functions stay coroutine functions, and what counts is the time until they end.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from timeit import default_timer
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from inferometer.prometheus.metrics import Counter, Gauge

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T", bound="Timer")
_ErrorType = type[BaseException] | None


def _wrap(function: F, context: Callable[[], Any]) -> F:
    """`function`, each call inside a context of its own."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with context():
                return await function(*args, **kwargs)

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with context():
                return function(*args, **kwargs)

    with contextlib.suppress(TypeError, ValueError):  # some functions written in C have none
        wrapper.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


class ExceptionCounter:
    """Counts the exceptions of one type that leave a block or a function."""

    def __init__(
        self,
        counter: Counter,
        exception: type[BaseException] | tuple[type[BaseException], ...],
    ) -> None:
        self._counter = counter
        self._exception = exception

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, typ: _ErrorType, value: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        if isinstance(value, self._exception):
            self._counter.inc()
        return False

    def __call__(self, f: F) -> F:
        """Decorates a function."""
        return _wrap(f, lambda: self)


class InprogressTracker:
    """Counts how many times a block or a function is being executed."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge

    def __enter__(self) -> None:
        self._gauge.inc()

    def __exit__(
        self, typ: _ErrorType, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._gauge.dec()

    def __call__(self, f: F) -> F:
        """Decorates a function."""
        return _wrap(f, lambda: self)


class Timer:
    """Gives the seconds that a block or a function takes to a metric.

    Attributes:
        duration: Those seconds; None before the end.
    """

    def __init__(self, metric: Any, callback_name: str) -> None:
        self._metric = metric
        self._callback_name = callback_name
        self._start = 0.0
        self.duration: float | None = None

    def __enter__(self: T) -> T:
        self._start = default_timer()
        return self

    def __exit__(
        self, typ: _ErrorType, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.duration = max(default_timer() - self._start, 0)
        getattr(self._metric, self._callback_name)(self.duration)

    def labels(self, *args: Any, **kw: Any) -> None:
        """Chooses the labels before the block ends, when they are known."""
        self._metric = self._metric.labels(*args, **kw)

    def __call__(self, f: F) -> F:
        """Decorates a function."""
        # One timer a call: calls may overlap.
        return _wrap(f, lambda: self.__class__(self._metric, self._callback_name))
