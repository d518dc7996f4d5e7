"""The engine: takes single requests, forms batches, runs them, tells what happened."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import numpy as np

from inferometer import _core, tracing
from inferometer._core import ConfigError, DTypeError
from inferometer.batching import Batching, Spec, not_there_yet
from inferometer.completions import completions_of
from inferometer.lifetime import remember
from inferometer.metrics import RegistryOption, resolve_registry
from inferometer.native_engine import make_core

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from inferometer.faults import Faults

    Array = NDArray[Any]
    Arrays = dict[str, Array]

_log = logging.getLogger("inferometer")
_Self = TypeVar("_Self", bound="Engine")

current_trace_id = tracing.trace_id.get

# The only values of options whose features are not there yet.
_INSTANCES = 1
_CALLER_RUNS = True
_INLINE_LIMIT = 200e-6
_PRIORITY = 0


class Engine:
    """One model behind a queue that forms batches.

    Any thread and any asyncio loop may use it at once. Every accepted request ends exactly once:
    with an answer or with one of the errors below, also when the engine is closed.

    Requests are arrays, rows first: ``(rows, *shape)``, 1 to ``max_batch_size`` rows. They are
    copied when submitted and never cast. An array gives an array (a dict, if the model has several
    outputs); a dict of arrays by input name gives a dict.

    Args:
        model: A native model (``im.onnx.load``, ``im.DelayModel``), or any callable on a batch:
            ``fn(array) -> array`` for one input, ``fn(**arrays) -> dict`` for named ones. It runs
            on the engine's own thread, is called with read-only arrays (valid for as long as it
            keeps them), and must return as many rows as it got. What it returns is copied.
        name: Label of its metrics and name in errors.
        version: Engines of one name share their metrics; (name, version) is unique in a registry.
        batching: How batches are formed.
        inputs: What a callable takes; None: fixed by the first request. A native model knows.
        instances: Not there yet: only 1.
        latency_objective: Seconds; successful requests within it are counted.
        native_histograms: Give the model's histograms native buckets too, shown in protobuf (all of
            them, if ``registry`` was made with ``native_histograms=True``). Versions of one model
            share their histograms: the first of them decides.
        caller_runs: Not there yet: only True. The model always runs on a thread of the engine.
        inline_limit: Not there yet: only 200e-6.
        registry: Where to record: None for ``im.default_registry()``, or ``im.NO_METRICS``.
        replace: Drain and close a live engine of this name and version first, instead of refusing
            (so that a notebook's cell can run twice).
        faults: Faults to inject into this engine's model; None: there can be none.

    Raises:
        ConfigError: Wrong options, or a live engine of this name and version in the registry.
    """

    def __init__(
        self,
        model: _core.NativeModel | Callable[..., Any],
        *,
        name: str,
        version: str = "1",
        batching: Batching | None = None,
        inputs: Sequence[Spec] | None = None,
        instances: int = _INSTANCES,
        latency_objective: float | None = None,
        native_histograms: bool = False,
        caller_runs: bool = _CALLER_RUNS,
        inline_limit: float = _INLINE_LIMIT,
        registry: RegistryOption = None,
        replace: bool = False,
        faults: Faults | None = None,
    ) -> None:
        not_there_yet("instances", instances, _INSTANCES)
        not_there_yet("caller_runs", caller_runs, _CALLER_RUNS)
        not_there_yet("inline_limit", inline_limit, _INLINE_LIMIT)
        native = isinstance(model, _core.NativeModel)
        if not native and not callable(model):
            raise ConfigError(f"model: got {type(model).__name__}, want a model or a callable")
        kind: Literal["native", "arrays"] = "native" if native else "arrays"
        for spec in inputs or ():
            if not isinstance(spec, Spec):
                raise ConfigError(f"inputs: got {spec!r}, want inferometer.Spec")
        specs = [(spec.name, spec.dtype, list(spec.shape)) for spec in inputs or ()]
        self._core = make_core(
            model,
            kind,
            name,
            version,
            batching,
            specs,
            latency_objective,
            registry,
            replace,
            native_histograms=native_histograms,
            faults=faults,
        )
        remember(self, resolve_registry(registry))

    # Blocking callers.

    @overload
    def infer(
        self,
        inputs: Array,
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
    ) -> Array: ...
    @overload
    def infer(
        self,
        inputs: Arrays,
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
    ) -> Arrays: ...
    def infer(
        self,
        inputs: Any,
        timeout: float | None = None,
        priority: int = _PRIORITY,
        trace_id: str | None = None,
    ) -> Any:
        """Waits for the answer to one request, with the GIL released. Ctrl-C cancels it.

        Args:
            inputs: ``(rows, *shape)``, or a dict of such arrays by input name. Any strides; copied.
            timeout: Seconds until the deadline; None: the batching's ``default_timeout``.
            priority: Not there yet: only 0.
            trace_id: The trace that the request belongs to: the exemplar of its latency. At most
                120 characters. None: that of the HTTP request, under ``asgi.TraceContext``.

        Returns:
            Fresh arrays, as many rows as were given.

        Raises:
            ShapeError, DTypeError, InputError: The request does not fit the model.
            QueueFullError: Too many requests wait.
            DeadlineExceededError: No answer by the deadline.
            ModelError: The model failed; its exception is the cause.
            ClosedError: The engine is or was closed.
            ConfigError: A trace id that is no text or too long.
        """
        if priority != _PRIORITY:
            not_there_yet("priority", priority, _PRIORITY)
        return self._core.infer(
            inputs, timeout, current_trace_id() if trace_id is None else trace_id
        )

    def infer_one(
        self,
        sample: Any,
        timeout: float | None = None,
        priority: int = _PRIORITY,
        trace_id: str | None = None,
    ) -> Any:
        """As ``infer`` for a single sample: adds the row axis to it and takes it off the answer.

        Args:
            sample: An array of the shape of one row (or a dict of them).
            timeout: As in ``infer``.
            priority: As in ``infer``.
            trace_id: As in ``infer``.

        Returns:
            A view of the fresh answer's only row (a dict of them for several outputs).
        """
        return _only_row(self.infer(_one_row(sample), timeout, priority, trace_id))

    def submit(
        self,
        inputs: Array | Arrays,
        timeout: float | None = None,
        priority: int = _PRIORITY,
        trace_id: str | None = None,
    ) -> _core.Request:
        """Queues a request and returns at once.

        Returns:
            A handle like ``concurrent.futures.Future``: ``result(timeout)``, ``cancel()``,
            ``timing``. Keeping it keeps its batch's answer in memory.

        Raises:
            ShapeError, DTypeError, InputError, QueueFullError, ClosedError, ConfigError: As
                ``infer``, at once.
        """
        if priority != _PRIORITY:
            not_there_yet("priority", priority, _PRIORITY)
        return self._core.submit(
            inputs, timeout, current_trace_id() if trace_id is None else trace_id
        )

    # asyncio callers.

    @overload
    async def infer_async(
        self,
        inputs: Array,
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
    ) -> Array: ...
    @overload
    async def infer_async(
        self,
        inputs: Arrays,
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
    ) -> Arrays: ...
    async def infer_async(
        self,
        inputs: Any,
        timeout: float | None = None,
        priority: int = _PRIORITY,
        trace_id: str | None = None,
    ) -> Any:
        """As ``infer``, without blocking the loop. Cancelling the await cancels the request.

        The rows are copied before this gives control back to the loop.
        """
        if priority != _PRIORITY:
            not_there_yet("priority", priority, _PRIORITY)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        if trace_id is None:
            trace_id = current_trace_id()
        request = self._core.submit_async(inputs, timeout, trace_id, completions_of(loop), future)
        try:
            return await future
        except asyncio.CancelledError:
            request.cancel(even_running=True)
            raise

    async def infer_one_async(
        self,
        sample: Any,
        timeout: float | None = None,
        priority: int = _PRIORITY,
        trace_id: str | None = None,
    ) -> Any:
        """As ``infer_one``, without blocking the loop."""
        return _only_row(await self.infer_async(_one_row(sample), timeout, priority, trace_id))

    # State.

    def stats(self) -> dict[str, Any]:
        """A snapshot of this engine's counts and distributions.

        Returns:
            ``requests`` by outcome and ``batches`` by release reason (counts); ``latency``,
            ``queue``, ``compute`` (seconds) and ``batch_size`` (rows), each with ``count``,
            ``mean``, ``p50``, ``p95``, ``p99``, the quantiles interpolated in the histogram's
            buckets as PromQL's ``histogram_quantile`` does; ``busy_seconds``,
            ``wasted_seconds``, ``telemetry_seconds``; ``queue_depth`` and ``in_flight`` now.
            ``recording`` is False under ``NO_METRICS``, and then only the last two are filled in.
        """
        return self._core.stats()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._core.name

    @property
    def version(self) -> str:
        """The model's version."""
        return self._core.version

    @property
    def inputs(self) -> list[Spec]:
        """What a request must look like; empty until a first request has fixed it."""
        return [
            Spec(name or "input", dtype, tuple(dims)) for name, dtype, dims in self._core.inputs
        ]

    @property
    def ready(self) -> bool:
        """Whether it accepts requests: neither draining nor closed, in the process that made it."""
        return self._core.ready

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._core.closed

    def drain(self, timeout: float = 30.0) -> bool:
        """Refuses new requests and waits until all accepted ones have ended.

        Args:
            timeout: Seconds to wait; what is left then goes on. Ctrl-C ends the wait.

        Returns:
            True if everything has ended.
        """
        return self._core.drain(timeout)

    def close(self, grace: float = 5.0) -> bool:
        """Refuses new requests, ends all others with ``ClosedError``, removes the metrics' series.

        Args:
            grace: Seconds that a running model gets to come back. One that does not is left behind
                on its thread, and a warning is logged.

        Returns:
            True if the model had come back. Closing twice is fine.
        """
        returned = self._core.close(grace)
        if not returned:
            _log.warning(
                "engine %r was closed while its model ran and did not come back within %g s; "
                "its thread is left behind",
                self.name,
                grace,
            )
        return returned

    def __enter__(self: _Self) -> _Self:
        """Nothing to do: the engine runs since it was made."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drains (unless an exception is on its way) and closes."""
        try:
            if kind is None:
                self.drain()
        finally:  # also when Ctrl-C ends the wait
            self.close()

    async def __aenter__(self: _Self) -> _Self:
        """Nothing to do: the engine runs since it was made."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Drains (unless an exception is on its way) and closes, without blocking the loop."""
        await asyncio.get_running_loop().run_in_executor(
            None, self.__exit__, kind, error, traceback
        )

    def __repr__(self) -> str:
        """Name, version and state."""
        state = "closed" if self.closed else "ready" if self.ready else "draining"
        return f"<inferometer.Engine {self.name!r} version {self.version!r}, {state}>"


def _one_row(sample: Any) -> Any:
    if isinstance(sample, dict):
        return {name: _one_row(value) for name, value in sample.items()}
    if not isinstance(sample, np.ndarray | np.generic):
        raise DTypeError(f"got {type(sample).__name__}, want a numpy array or a dict of them")
    return np.asarray(sample)[np.newaxis]


def _only_row(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: rows[0] for name, rows in answer.items()}
    return answer[0]
