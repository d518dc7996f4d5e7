"""What hostile or careless use once broke."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import inferometer as im
from exposition_parsers import parse_openmetrics
from test_process import PRELUDE, run

X = np.ones((1, 2), np.float32)


def failing(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    raise ValueError(json.loads('"unknown word \\ud800"'))


def test_a_text_that_is_no_unicode_fails_its_own_request_and_no_other() -> None:
    async def main() -> None:
        async with (
            im.Engine(failing, name="bad", registry=im.NO_METRICS) as bad,
            im.Engine(lambda x: x, name="good", registry=im.NO_METRICS) as good,
        ):
            calls = [engine.infer_async(X) for engine in (bad, good, bad, good)]
            answers = await asyncio.gather(*calls, return_exceptions=True)
        for failed in answers[::2]:
            assert isinstance(failed, im.ModelError)
            assert "unknown word \\ud800" in str(failed)
        for answer in answers[1::2]:
            assert isinstance(answer, np.ndarray)

    asyncio.run(main())
    with im.Engine(failing, name="bad", registry=im.NO_METRICS) as bad:
        with pytest.raises(im.ModelError, match="unknown word"):
            bad.infer(X)
        with pytest.raises(im.InputError, match="not valid Unicode"):
            bad.infer({"\ud800": X})


def test_awaits_that_fail_let_go_of_their_arrays() -> None:
    alive: list[weakref.ref[np.ndarray[Any, Any]]] = []

    async def call(engine: im.Engine) -> None:
        x = X.copy()
        alive.append(weakref.ref(x))
        with pytest.raises(im.ModelError):
            await engine.infer_async(x)

    async def main() -> None:
        async with im.Engine(failing, name="bad", registry=im.NO_METRICS) as engine:
            for _ in range(5):
                await call(engine)

    asyncio.run(main())
    gc.collect()
    assert [reference() for reference in alive] == [None] * 5


def test_closing_an_idle_engine_needs_no_grace(caplog: pytest.LogCaptureFixture) -> None:
    for grace in (0, -1, 1e-9):
        engine = im.Engine(lambda x: x, name="m", registry=im.NO_METRICS)
        engine.infer(X)
        assert engine.close(grace) is True
    assert not caplog.records


def test_a_forked_child_may_use_its_parents_names() -> None:
    run(
        PRELUDE
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
gate = threading.Event()
engine = im.Engine(lambda x: (gate.wait(60), x)[1], name="m")
handle = engine.submit(X)
pid = os.fork()
if pid == 0:
    code = 1
    try:
        for replace in (False, True):
            own = im.Engine(lambda x: x + 1, name="m", replace=replace)
            assert own.infer(X)[0, 0] == 2
        try:
            handle.result()
        except im.ClosedError as error:
            assert "answered in the parent" in str(error)
            code = 0
    finally:
        os._exit(code)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
gate.set()
assert handle.result()[0, 0] == 1
"""
    )


@pytest.mark.parametrize("seconds_left", [0.2, 3])
def test_the_interpreter_exits_while_a_model_computes(seconds_left: float) -> None:
    out = run(
        PRELUDE
        + f"""
import logging
logging.getLogger("inferometer").setLevel(logging.CRITICAL)
entered = threading.Event()
def model(x):
    entered.set()
    end = time.monotonic() + 1 + {seconds_left}
    while time.monotonic() < end:
        np.ones(10).sum()
    return x
engine = im.Engine(model, name="m")
engine.submit(X)
entered.wait(60)
print("exiting", flush=True)
"""
    )
    assert out == "exiting"


def test_a_dict_that_changes_while_it_is_read() -> None:
    # Converting a strided array lets other threads run; names that follow must not move.
    arrays = {f"{i}": np.ones((2, 64), np.float32)[:, ::2] for i in range(200)}
    with im.Engine(lambda **named: {"n": named["0"]}, name="m", registry=im.NO_METRICS) as engine:
        engine.infer(arrays)
        assert sorted(spec.name for spec in engine.inputs) == sorted(arrays)


def test_a_broadcast_array_is_refused_before_it_is_copied() -> None:
    huge = np.broadcast_to(np.float32(1), (1 << 40, 1 << 20))  # 4 EiB, were it real
    with im.Engine(lambda x: x, name="m", registry=im.NO_METRICS) as engine:
        for _ in range(2):  # before and after a first request has fixed the shape
            with pytest.raises(im.ShapeError, match=r"got .*1099511627776.*, want"):
                engine.infer(huge)
            with pytest.raises(im.ShapeError, match=r"got .*1099511627776.*, want"):
                engine.submit({"input": huge})
            np.testing.assert_array_equal(engine.infer(X), X)
        with pytest.raises(im.ShapeError, match="want \\(-1, 2\\)"):
            engine.infer(np.broadcast_to(np.float32(1), (1, 1 << 40)))


@pytest.mark.parametrize("kind", [im.Counter, im.Gauge, im.Histogram])
def test_a_metric_without_a_registry_cannot_be_made(kind: Any) -> None:
    with pytest.raises(TypeError, match="cannot create"):
        kind()
    with pytest.raises(TypeError, match="not safe"):
        object.__new__(kind)


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        (im.Request, lambda it: it.done()),
        (im.Request, lambda it: it.timing),
        (im.Registry, lambda it: it.counter("a")),
        (im.Registry, im.render_metrics),
        (im._core.Engine, lambda it: it.stats()),
    ],
)
def test_an_object_that_was_never_initialised(kind: Any, use: Any) -> None:
    with pytest.raises(TypeError, match="never initialised"):
        use(kind.__new__(kind))


def test_labels_that_change_while_they_are_read() -> None:
    class Name:
        def __str__(self) -> str:
            return "a"

    class Value:
        def __init__(self, labels: dict[Any, Any]) -> None:
            self.labels = labels

        def __str__(self) -> str:
            self.labels.clear()  # frees names and values
            self.room = [Name() for _ in range(100)]  # where they were
            return "b"

    registry = im.Registry()
    registry.gauge("g", "", ["a"]).labels("b").set(2)
    registry.start_history()
    for _ in range(500):
        labels: dict[Any, Any] = {}
        labels.update((Name(), Value(labels)) for _ in range(10))
        assert registry.sample_value("g", labels) == 2
        labels.update((Name(), Value(labels)) for _ in range(10))
        with pytest.raises(im.ConfigError, match="label"):
            registry.history("inferometer_build_info", labels)
    registry.stop_history()


def test_a_gauge_may_be_called_total() -> None:
    registry = im.Registry()
    registry.gauge("disk_bytes_total", "G.").set(1)
    registry.counter("read_bytes_total", "C.").inc()
    registry.counter("odd_bytes_total_total", "C.").inc()
    text = registry.render("application/openmetrics-text;version=1.0.0")[0]
    units = {f.name: f.unit for f in parse_openmetrics(text)}
    assert units["disk_bytes_total"] == ""  # a unit is what the name ends with
    assert units["read_bytes"] == "bytes"
    assert units["odd_bytes_total"] == ""


def invalid(engine: im.Engine) -> int:
    count: int = engine.stats()["requests"]["invalid"]
    return count


def refused(text: str, call: Callable[[], object]) -> None:
    with pytest.raises(im.ConfigError, match=text):
        call()


def test_wrong_arguments_are_named() -> None:
    """None of them shows a C++ signature."""
    huge = 1 << 2000

    def engine(**options: Any) -> im.Engine:
        return im.Engine(lambda x: x, name="m", registry=im.NO_METRICS, **options)

    refused("latency_objective: got an int that no float", lambda: engine(latency_objective=huge))
    refused("inline_limit: got array", lambda: engine(inline_limit=np.ones(2)))
    refused("native_histograms: got '1'", lambda: engine(native_histograms="1"))
    refused("replace: got 1, want True or False", lambda: engine(replace=1))
    refused("inputs: got 3, want a list of inferometer.Spec", lambda: engine(inputs=3))
    refused("inputs: got 3, want", lambda: im.DelayModel(inputs=3))  # type: ignore[arg-type]
    refused("seconds: got an int that no float", lambda: im.DelayModel(seconds=huge))
    refused("duration: got array", lambda: im.Faults().add("stall", duration=np.ones(2)))  # type: ignore[arg-type]
    wrong: Any = "1"
    with engine() as made:
        handle = made.submit(X)
        for call in (
            lambda: made.infer(X, wrong),
            lambda: made.submit(X, wrong),
            lambda: made.infer_many([X], wrong),
            lambda: handle.result(wrong),
            lambda: handle.exception(wrong),
        ):
            refused("timeout: got '1', want seconds or None", call)
        refused("timeout: got 1", lambda: made.infer(X, huge))
        refused("timeout: got '1', want seconds", lambda: made.drain(wrong))
        refused("grace: got '1', want seconds", lambda: made.close(wrong))
        refused("even_running: got '1', want True or False", lambda: handle.cancel(wrong))
    arrivals = np.zeros(1)
    for instances in (0, 1 << 63):
        refused(
            f"instances: got {instances}, want 1 to",
            lambda n=instances: im.simulate(im.Batching(), arrivals, lambda rows: 1.0, n),  # type: ignore[misc]
        )
    with pytest.raises(TypeError, match=r"per_instance\(\) missing .*'name'"):
        im.Engine.per_instance(lambda: lambda x: x, instances=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"per_instance\(\) got an unexpected .*'max_rows'"):
        im.Engine.per_instance(lambda: lambda x: x, instances=1, name="m", max_rows=1)


def test_wrong_arguments_count_as_invalid_requests() -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("priority: got 5", {"priority": 5}),
        ("priority: got '1'", {"priority": "1"}),
        ("timeout: got nan", {"timeout": float("nan")}),
        ("trace_id: got 3", {"trace_id": 3}),
        ("trace_id: got 121 code points, want at most 120", {"trace_id": "\u00e9" * 121}),
    ]
    with im.Engine(lambda x: x, name="m", registry=im.Registry()) as engine:
        engine.infer(X, trace_id="\u00e9" * 120)
        for count, (text, options) in enumerate(wrong):
            assert invalid(engine) == 4 * count

            async def main(options: dict[str, Any] = options) -> None:
                await engine.infer_async(X, **options)

            refused(text, lambda options=options: engine.infer(X, **options))  # type: ignore[misc]
            refused(text, lambda options=options: engine.submit(X, **options))  # type: ignore[misc]
            refused(text, lambda options=options: engine.infer_many([X], **options))  # type: ignore[misc]
            refused(text, lambda run=main: asyncio.run(run()))  # type: ignore[misc]
        assert invalid(engine) == 4 * len(wrong)


def test_threads_that_replace_one_engine_take_turns() -> None:
    registry = im.Registry()

    def replace(_: int) -> im.Engine:
        return im.Engine(lambda x: x, name="m", replace=True, registry=registry)

    with ThreadPoolExecutor(8) as threads:
        engines = list(threads.map(replace, range(80)))
    (live,) = [engine for engine in engines if not engine.closed]
    live.close()


@pytest.mark.parametrize("key", [1, None, b"y", "\ud800"])
def test_an_output_name_that_is_none(key: Any) -> None:
    with im.Engine(lambda x: {key: x}, name="m", registry=im.NO_METRICS) as engine:
        text = re.escape(f"returned an output called {key!a}, want a str")
        with pytest.raises(im.ModelError, match=text):
            engine.infer(X)


def test_a_request_that_no_memory_holds_fails_alone() -> None:
    huge = np.broadcast_to(np.float32(1), (1, 1 << 50))  # the inputs allow it
    inputs = [im.Spec("x", "float32", (-1, -1))]
    with im.Engine(lambda x: x, name="m", inputs=inputs, registry=im.Registry()) as engine:
        for request in (huge, {"x": huge}):
            first, refused, last = engine.infer_many([X, request, X], return_exceptions=True)
            assert isinstance(refused, MemoryError)
            np.testing.assert_array_equal(first, X)
            np.testing.assert_array_equal(last, X)
        with pytest.raises(MemoryError):
            engine.infer_many([X, huge])
        with pytest.raises(MemoryError):
            engine.infer(huge)
        assert (engine.stats()["requests"]["success"], invalid(engine)) == (5, 4)

        async def main() -> None:
            pending = engine.infer_async(huge)
            with pytest.raises(MemoryError):
                await pending
            answers = await engine.infer_many_async([huge, X], return_exceptions=True)
            assert isinstance(answers[0], MemoryError)
            np.testing.assert_array_equal(answers[1], X)

        asyncio.run(main())
        assert (engine.stats()["requests"]["success"], invalid(engine)) == (6, 6)
