"""``@im.batched``: batching for a function on lists of any objects."""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from inferometer import _core
from inferometer._core import ConfigError
from inferometer.batching import Batching, check_seconds
from inferometer.html.stats import Stats
from inferometer.lifetime import remember, replacing
from inferometer.metrics import RegistryOption, resolve_registry
from inferometer.native_engine import core_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = logging.getLogger("inferometer")
_Item = TypeVar("_Item")
_Answer = TypeVar("_Answer")


class Batched(Generic[_Item, _Answer]):
    """A function on a list, called with single items from many threads and tasks.

    Call it with one item and it blocks for that item's answer; ``await f.infer_async(item)`` does
    the same for asyncio; ``f.submit(item)`` gives a handle. Concurrent calls are gathered into one
    list and the function runs on a thread of its own. Errors are those of ``Engine.infer``; an
    exception that the function raises fails every item of its batch as the cause of a
    ``ModelError``. An exception that it returns in place of an answer fails that item alone, in
    the same way (as ``asyncio.gather(..., return_exceptions=True)`` returns them).
    """

    def __init__(
        self,
        function: Callable[[list[_Item]], Sequence[_Answer]],
        batching: Batching | None,
        name: str | None,
        registry: RegistryOption,
        replace: bool,
    ) -> None:
        if not callable(function):
            raise ConfigError(f"batched: got {type(function).__name__}, want a function")
        if inspect.iscoroutinefunction(function):
            raise ConfigError("batched: got an async function, want a plain one on a list")
        label = name or str(getattr(function, "__qualname__", type(function).__qualname__))
        with replacing(replace, label, "1"):
            self._core = _core.Engine(
                *core_arguments([function], "items", label, "1", batching, registry, replace)
            )
            self._function = function
            functools.update_wrapper(self, function)
            remember(self, resolve_registry(registry))

    def __call__(self, item: _Item, timeout: float | None = None) -> _Answer:
        """Blocks for the answer to one item, with the GIL released."""
        return self._core.infer_item(item, timeout)  # type: ignore[no-any-return]

    def infer_async(self, item: _Item, timeout: float | None = None) -> _core.Pending[_Answer]:
        """The answer to one item, without blocking the loop. Cancelling cancels the item.

        The request is made by the call; what comes back is as of ``Engine.infer_async``.
        """
        return self._core.infer_item_async(item, timeout)

    def submit(self, item: _Item, timeout: float | None = None) -> _core.Request:
        """Queues one item; the handle is like ``concurrent.futures.Future``."""
        return self._core.submit_item(item, timeout)

    @property
    def function(self) -> Callable[[list[_Item]], Sequence[_Answer]]:
        """The function itself, unbatched."""
        return self._function

    @property
    def name(self) -> str:
        """Label of its metrics."""
        return self._core.name

    @property
    def version(self) -> str:
        """Always ``"1"``."""
        return self._core.version

    @property
    def ready(self) -> bool:
        """Whether it accepts items."""
        return self._core.ready

    def stats(self) -> Stats:
        """As ``Engine.stats``."""
        return Stats(self._core.stats())

    def drain(self, timeout: float = 30.0) -> bool:
        """As ``Engine.drain``."""
        check_seconds("timeout", timeout)
        return self._core.drain(timeout)

    def close(self, grace: float = 5.0) -> bool:
        """As ``Engine.close``."""
        check_seconds("grace", grace)
        returned = self._core.close(grace)
        if not returned:
            _log.warning("batched function %r did not come back within %g s", self.name, grace)
        return returned


@overload
def batched(
    batching: Callable[[list[_Item]], Sequence[_Answer]],
) -> Batched[_Item, _Answer]: ...
@overload
def batched(
    batching: Batching | None = ...,
    *,
    name: str | None = ...,
    registry: RegistryOption = ...,
    replace: bool = ...,
) -> Callable[[Callable[[list[_Item]], Sequence[_Answer]]], Batched[_Item, _Answer]]: ...
def batched(
    batching: Batching | Callable[[list[Any]], Sequence[Any]] | None = None,
    *,
    name: str | None = None,
    registry: RegistryOption = None,
    replace: bool = False,
) -> Any:
    """Makes a function on a list into one on single items that are batched.

        @im.batched(im.Batching(max_batch_size=32))
        def embed(texts: list[str]) -> list[Vector]: ...

        vector = embed("hello")
        vector = await embed.infer_async("hello")

    Args:
        batching: How lists are formed; ``max_batch_size`` counts items. The bare decorator
            ``@im.batched`` takes the defaults.
        name: Label of its metrics; None: the function's qualified name.
        registry: As in ``Engine``.
        replace: As in ``Engine``.

    Raises:
        ConfigError: As ``Engine``, and for an async function.
    """
    if callable(batching):
        return Batched(batching, None, name, registry, replace)
    options = batching

    def decorate(
        function: Callable[[list[_Item]], Sequence[_Answer]],
    ) -> Batched[_Item, _Answer]:
        return Batched(function, options, name, registry, replace)

    return decorate
