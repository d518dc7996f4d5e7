"""The engine: takes single requests, forms batches, runs them, tells what happened."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from inferometer import _core
from inferometer._core import ConfigError
from inferometer.batching import Batching, Spec, check_bool, check_seconds, spec_tuples
from inferometer.html.state import engine_html, engine_state
from inferometer.html.stats import Stats
from inferometer.lifetime import remember, replacing
from inferometer.metrics import RegistryOption, resolve_registry
from inferometer.native_engine import (
    INLINE_LIMIT,
    check_batching,
    check_instances,
    core_arguments,
)
from inferometer.placement import check_devices, kind_of, place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from inferometer.faults import Faults

    Array = NDArray[Any]
    Arrays = dict[str, Array]

_log = logging.getLogger("inferometer")
_Self = TypeVar("_Self", bound="Engine")


class Engine(_core.Engine):
    """One model behind a queue that forms batches.

    Any thread and any asyncio loop may use it at once. Every accepted request ends exactly once:
    with an answer or with one of the errors below, also when the engine is closed.

    Requests are arrays, rows first: ``(rows, *shape)``, 1 to ``max_batch_size`` rows. They are
    copied when submitted and never cast. An array gives an array (a dict, if the model has several
    outputs); a dict of arrays by input name gives a dict.

    Args:
        model: A native model (``im.onnx.load``, ``im.DelayModel``), or any callable on a batch:
            ``fn(array) -> array`` for one input, ``fn(**arrays) -> dict`` for named ones. It is
            called with read-only arrays (valid for as long as it keeps them), and must return as
            many rows as it got. What it returns is copied. It runs on the engine's own thread, or
            on that of a caller that finds it idle (see ``caller_runs``).
        name: Label of its metrics and name in errors.
        version: Engines of one name share their metrics; (name, version) is unique in a registry.
        batching: How batches are formed.
        inputs: What a callable takes; None: fixed by the first request. A native model knows.
        instances: How many batches may run at the same time. A callable must then be thread-safe;
            ``Engine.per_instance`` takes others. Of a native model instances share the weights.
        devices: GPUs that a model loaded for a GPU runs on, by number, with ``instances`` on each;
            None: the one it was loaded for. The weights are copied to each.
        latency_objective: Seconds; successful requests within it are counted.
        native_histograms: Give the model's histograms native buckets too, shown in protobuf (all of
            them, if ``registry`` was made with ``native_histograms=True``). Versions of one model
            share their histograms: the first of them decides.
        caller_runs: Whether batches may run on callers' threads, which saves waking another (25 us
            and more): a lone ``infer`` that finds the model idle, a caller whose row opened a batch
            of a native model, an event loop. False: the model runs on threads of the engine alone,
            as one must that is tied to its thread.
        inline_limit: Seconds. An event loop runs a batch itself while they are known to take less,
            and is held up for that time. 0: never.
        warmup: Requests that are run on every instance before the engine is ready, and on a model
            that is swapped in. Not recorded.
        registry: Where to record: None for ``im.default_registry()``, or ``im.NO_METRICS``.
        replace: Drain and close a live engine of this name and version first, instead of refusing
            (so that a notebook's cell can run twice).
        faults: Faults to inject into this engine's model; None: there can be none.

    Raises:
        ConfigError: Wrong options, or a live engine of this name and version in the registry.
        DeviceError: A device that cannot be used, or has no room.
        InputError, ShapeError, DTypeError, ModelError: A warm-up request that does not fit, or
            that the model fails.
    """

    _per_instance = False
    _said_left_behind = False
    _devices: Sequence[str] | None = None

    def __init__(
        self,
        model: _core.NativeModel | Callable[..., Any],
        *,
        name: str,
        version: str = "1",
        batching: Batching | None = None,
        inputs: Sequence[Spec] | None = None,
        instances: int = 1,
        devices: Sequence[int | str] | None = None,
        latency_objective: float | None = None,
        native_histograms: bool = False,
        caller_runs: bool = True,
        inline_limit: float = INLINE_LIMIT,
        warmup: Iterable[Array | Arrays] = (),
        registry: RegistryOption = None,
        replace: bool = False,
        faults: Faults | None = None,
    ) -> None:
        self._devices = check_devices(devices)
        self._start(
            place(model, check_instances(instances), self._devices),
            name=name,
            version=version,
            batching=batching,
            inputs=inputs,
            latency_objective=latency_objective,
            native_histograms=native_histograms,
            caller_runs=caller_runs,
            inline_limit=inline_limit,
            warmup=warmup,
            registry=registry,
            replace=replace,
            faults=faults,
        )

    @classmethod
    def per_instance(
        cls: type[_Self],
        factory: Callable[[], _core.NativeModel | Callable[..., Any]],
        *,
        instances: int,
        name: str,
        **options: Any,
    ) -> _Self:
        """An engine with one model object for each instance, for models that are not thread-safe.

        Args:
            factory: Called ``instances`` times; what it returns is as ``model`` of ``Engine``.
            instances: How many batches may run at the same time.
            name: As ``Engine``'s.
            options: Those of ``Engine``.

        Raises:
            ConfigError: As ``Engine``, or a factory that cannot be called.
        """
        unknown = options.keys() - ((Engine.__init__.__kwdefaults__ or {}).keys() - {"devices"})
        if unknown:
            raise TypeError(f"per_instance() got an unexpected keyword argument {min(unknown)!r}")
        if not callable(factory):
            raise ConfigError(f"factory: got {type(factory).__name__}, want a callable")
        engine = cls.__new__(cls)
        engine._per_instance = True
        engine._start([factory() for _ in range(check_instances(instances))], name=name, **options)
        return engine

    def _start(
        self,
        models: list[Any],
        *,
        name: str,
        version: str = "1",
        batching: Batching | None = None,
        inputs: Sequence[Spec] | None = None,
        registry: RegistryOption = None,
        replace: bool = False,
        **options: Any,
    ) -> None:
        self._kind = kind = kind_of(models)
        specs = spec_tuples(inputs)
        with replacing(replace, name, version):
            _core.Engine.__init__(
                self,
                *core_arguments(
                    models, kind, name, version, batching, registry, replace, specs=specs, **options
                ),
            )
            remember(self, resolve_registry(registry))

    # infer(), infer_one(), infer_many(), submit(), infer_async() and infer_one_async() are raw C
    # methods of the base: a request is one C call.

    @overload
    async def infer_many_async(
        self,
        xs: Iterable[Array],
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
        return_exceptions: Literal[False] = ...,
    ) -> list[Array]: ...
    @overload
    async def infer_many_async(
        self,
        xs: Iterable[Arrays],
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
        return_exceptions: Literal[False] = ...,
    ) -> list[Arrays]: ...
    @overload
    async def infer_many_async(
        self,
        xs: Iterable[Array | Arrays],
        timeout: float | None = ...,
        priority: int = ...,
        trace_id: str | None = ...,
        return_exceptions: bool = ...,
    ) -> list[Any]: ...
    async def infer_many_async(
        self,
        xs: Iterable[Any],
        timeout: float | None = None,
        priority: int = 0,
        trace_id: str | None = None,
        return_exceptions: bool = False,
    ) -> list[Any]:
        """As ``infer_many``, without blocking the loop. Cancelling the await cancels all of them.

        Args:
            xs: As in ``infer_many``.
            timeout: As in ``infer_many``.
            priority: As in ``infer_many``.
            trace_id: As in ``infer_many``.
            return_exceptions: As in ``infer_many``.

        Returns:
            As ``infer_many``.
        """
        check_bool("return_exceptions", return_exceptions)
        answers: list[Any] = []
        errors: list[Exception] = []
        requests = self._infer_each_async(xs, timeout, priority, trace_id)
        try:
            for request in requests:
                try:
                    answers.append(await request)
                except Exception as error:  # it belongs to this request alone
                    # Without a traceback, which would hold this frame: no cycle.
                    answers.append(error.with_traceback(None))
                    errors.append(error)
        except BaseException:
            for request in requests:
                request.cancel()
            raise
        if errors and not return_exceptions:
            try:
                raise errors[0]
            finally:  # likewise
                del answers, errors, requests, request
        return answers

    # Live changes.

    def reconfigure(self, batching: Batching) -> None:
        """Forms batches by other rules from now on. What was accepted stays accepted.

        Args:
            batching: All of the rules, as in ``Engine``. Padding cannot be switched on or off.

        Raises:
            ConfigError: Wrong options; then nothing has changed.
            ClosedError: In a forked child.
        """
        super().reconfigure(check_batching(batching))

    def swap(self, model: _core.NativeModel | Callable[..., Any]) -> None:
        """Serves what arrives from now on with another model, under load.

        Requests that were accepted before finish on the old one, which is let go of with the last
        of them. Warm-up requests run on the new one first.

        Args:
            model: As in ``Engine``, with the same inputs and outputs; for an engine made by
                ``per_instance`` the factory of its models.

        Raises:
            ConfigError: A model of another kind, or with other inputs or outputs; nothing has
                changed then.
            InputError, ShapeError, DTypeError, ModelError: As ``Engine``, for warm-up requests.
        """
        if self._per_instance and not callable(model):
            raise ConfigError(f"swap: got {type(model).__name__}, want the factory of models")
        if self._per_instance and callable(model):
            models = [model() for _ in range(self.instances)]
        else:
            count = self.instances // len(self._devices or (0,))
            models = place(model, count, self._devices)
        if kind_of(models) != self._kind:
            raise ConfigError("swap: got a model of another kind, want one as before")
        self.swap_models(models)
        _log.info("engine %r serves another model from now on", self.name)

    # State.

    def stats(self) -> Stats:
        """A snapshot of this engine's counts and distributions.

        Returns:
            ``requests`` by outcome and ``batches`` by release reason (counts); ``latency``,
            ``queue``, ``compute`` (seconds) and ``batch_size`` (rows), each with ``count``,
            ``mean``, ``p50``, ``p95``, ``p99``, the quantiles interpolated in the histogram's
            buckets as PromQL's ``histogram_quantile`` does; ``busy_seconds``,
            ``wasted_seconds``, ``telemetry_seconds``; ``queue_depth`` and ``in_flight`` now.
            ``recording`` is False under ``NO_METRICS``, and then only the last two are filled in.
            A dict that notebooks show as tables.
        """
        return Stats(super().stats())

    @property
    def inputs(self) -> list[Spec]:  # type: ignore[override]
        """What a request must look like; empty until a first request has fixed it."""
        return [Spec(name or "input", dtype, tuple(dims)) for name, dtype, dims in super().inputs]

    def drain(self, timeout: float = 30.0) -> bool:
        """Refuses new requests and waits until all accepted ones have ended.

        Args:
            timeout: Seconds to wait; what is left then goes on. Ctrl-C ends the wait.

        Returns:
            True if everything has ended.

        Raises:
            ConfigError: A timeout that is no number of seconds.
        """
        check_seconds("timeout", timeout)
        return super().drain(timeout)

    def close(self, grace: float = 5.0) -> bool:
        """Refuses new requests, ends all others with ``ClosedError``, removes the metrics' series.

        Args:
            grace: Seconds that a running model gets to come back. One that does not is left behind
                on its thread, and a warning is logged.

        Returns:
            True if the model had come back. Closing twice is fine.

        Raises:
            ConfigError: A grace that is no number of seconds.
        """
        check_seconds("grace", grace)
        returned = super().close(grace)
        if not (returned or self._said_left_behind):
            self._said_left_behind = True
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
        """Drains (unless an exception is on its way) and closes, without blocking the loop.

        Cancelled, also by Ctrl-C, it closes at once.
        """
        in_thread = asyncio.get_running_loop().run_in_executor
        try:
            if kind is None:
                await in_thread(None, self.drain)
        finally:  # closing ends a drain that nobody waits for any more
            await in_thread(None, self.close)

    def __repr__(self) -> str:
        """Name, version and state."""
        state = engine_state(self)
        return f"<inferometer.Engine {self.name!r} version {self.version!r}, {state}>"

    def _repr_html_(self) -> str:
        """For notebooks: what it is, and ``stats()``."""
        return engine_html(self)
