"""``im.DelayModel`` and ``im.Faults``."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import inferometer as im
from polling import wait_until

ROW = np.arange(4, dtype=np.float32)[np.newaxis]
SPECS = [im.Spec("x", "float32", (-1, 4))]
HOUR = 3600.0


def double(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return x * 2


def engine_of(model: Any = double, **options: Any) -> im.Engine:
    """An engine that records in a registry of its own."""
    return im.Engine(model, name="m", registry=im.Registry(), **options)


def await_stall(faults: im.Faults) -> None:
    """Blocks until a stall holds a batch."""
    wait_until(lambda: faults.injected()["stall"], bool, "stalled batches", 60, 0.001)


@pytest.fixture(params=["native", "python"])
def model(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Models of both kinds; they answer what they are given."""
    yield im.DelayModel(inputs=SPECS) if request.param == "native" else lambda x: x


# DelayModel.


def test_a_delay_model_answers_every_row_with_itself() -> None:
    with engine_of(im.DelayModel(seconds=0.001, seconds_per_row=1e-5, inputs=SPECS)) as engine:
        rows = np.random.default_rng(1).random((3, 4), np.float32)
        request = engine.submit(rows)
        assert np.array_equal(request.result(), rows)
        assert request.timing.compute >= 0.00103
        assert engine.inputs == SPECS
        assert np.array_equal(engine.infer({"x": rows})["x"], rows)


def test_the_first_request_fixes_what_a_delay_model_takes() -> None:
    delay = im.DelayModel()
    with engine_of(delay) as engine:
        assert engine.infer(np.arange(3)).tolist() == [0, 1, 2]
        assert engine.infer({"input": np.arange(2)})["input"].tolist() == [0, 1]
        with pytest.raises(im.DTypeError):
            engine.infer(ROW)
    with engine_of(delay) as engine:  # the other engine's inputs are its own business
        both = {"a": ROW, "b": np.array([5])}
        answer = engine.infer(both)
        assert answer.keys() == both.keys()
        assert np.array_equal(answer["a"], ROW) and answer["b"].tolist() == [5]


def test_what_a_delay_model_is() -> None:
    delay = im.DelayModel(seconds=0.25, seconds_per_row=1)
    assert (delay.seconds, delay.seconds_per_row) == (0.25, 1.0)
    assert repr(delay) == "DelayModel(seconds=0.25, seconds_per_row=1)"
    one_row = im.DelayModel(inputs=[im.Spec("x", "float32", (1, 4))])
    with pytest.raises(im.ConfigError, match="max_batch_size: got 64, want at most 1"):
        engine_of(one_row)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"seconds": -1}, "seconds: got -1.000000, want a finite number of seconds, 0 or more"),
        ({"seconds": float("nan")}, "seconds: got nan, want"),
        ({"seconds_per_row": float("inf")}, "seconds_per_row: got inf, want"),
        ({"seconds": "1"}, "seconds: got '1', want seconds"),
        ({"seconds_per_row": None}, "seconds_per_row: got None, want seconds"),
        ({"inputs": [1]}, "inputs: got 1, want inferometer.Spec"),
        ({"inputs": [im.Spec("x", "complex64", (-1,))]}, "input 'x': got dtype 'complex64', want"),
    ],
)
def test_refused_delay_models(options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError) as caught:
        im.DelayModel(**options)
    assert text in str(caught.value)


# Faults.


def test_an_injected_error_is_a_failing_model_with_a_type_of_its_own(model: Any) -> None:
    faults = im.Faults()
    with engine_of(model, faults=faults) as engine:
        assert np.array_equal(engine.infer(ROW), ROW)
        faults.add("error", ratio=1)
        with pytest.raises(im.ModelError) as caught:
            engine.infer(ROW)
        assert type(caught.value) is im.InjectedFaultError
        assert str(caught.value).startswith("model of engine 'm': injected fault: ")
        assert "injected fault" in str(caught.value.__cause__)
        with pytest.raises(im.InjectedFaultError):
            asyncio.run(engine.infer_async(ROW))
        faults.clear()
        assert np.array_equal(engine.infer(ROW), ROW)
        requests = engine.stats()["requests"]
        assert (requests["failure"], requests["success"]) == (2, 2)
        assert faults.injected() == {"delay": 0, "error": 2, "stall": 0, "partial": 0}


def test_a_models_own_failure_is_not_an_injected_one() -> None:
    def broken(x: Any) -> Any:
        raise ZeroDivisionError

    faults = im.Faults()
    with engine_of(broken, faults=faults) as engine:
        faults.add("delay", seconds=0)
        with pytest.raises(im.ModelError) as caught:
            engine.infer(ROW)
        assert type(caught.value) is im.ModelError
        assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_partial_failure_leaves_the_others_their_answers(model: Any) -> None:
    faults = im.Faults(seed=5)
    batching = im.Batching(max_batch_size=8)
    with engine_of(model, faults=faults, batching=batching) as engine:
        faults.add("partial", ratio=0.5)
        rows = [np.full((1, 4), number, np.float32) for number in range(200)]
        requests = [engine.submit(row) for row in rows]
        failed = 0
        for row, request in zip(rows, requests, strict=True):
            if isinstance(request.exception(), im.InjectedFaultError):
                failed += 1
            else:
                assert np.array_equal(request.result(), row)
        assert 50 < failed < 150 and faults.injected()["partial"] == failed
        counted = engine.stats()["requests"]
        assert (counted["failure"], counted["success"]) == (failed, 200 - failed)


def test_a_seed_fixes_who_fails() -> None:
    def failures(seed: int | None) -> list[bool]:
        faults = im.Faults(seed=seed)
        faults.add("error", ratio=0.5)
        with engine_of(faults=faults) as engine:
            return [engine.submit(ROW).exception() is not None for _ in range(64)]

    drawn = failures(1)
    assert failures(1) == drawn != failures(2)
    assert failures(None) != failures(None)


def test_a_delay_is_part_of_the_models_time(model: Any) -> None:
    faults = im.Faults()
    faults.add("delay", seconds=0.001)
    faults.add("delay", seconds=0.001)
    with engine_of(model, faults=faults) as engine:
        request = engine.submit(ROW)
        request.result()
        assert request.timing.compute >= 0.002


@pytest.mark.parametrize("kind", ["stall", "delay"])
def test_clearing_lets_a_held_batch_go(model: Any, kind: Any) -> None:
    faults = im.Faults()
    faults.add(kind, **({"seconds": HOUR} if kind == "delay" else {}))
    with engine_of(model, faults=faults) as engine:
        request = engine.submit(ROW)
        with pytest.raises(concurrent.futures.TimeoutError):  # 3.11 made it the builtin one
            request.result(0.001)
        with pytest.raises(im.DeadlineExceededError):
            engine.infer(ROW, timeout=0.001)
        faults.clear("error")
        assert not request.done()
        faults.clear(kind)
        assert np.array_equal(request.result(), ROW)


def test_close_ends_a_stall(model: Any) -> None:
    faults = im.Faults()
    faults.add("stall")
    engine = engine_of(model, faults=faults)
    request = engine.submit(ROW)
    await_stall(faults)
    assert engine.close(grace=HOUR)  # or the test takes an hour
    with pytest.raises(im.ClosedError):
        request.result()


def test_a_stalled_engine_leaves_the_interpreter_alone() -> None:
    faults = im.Faults()
    faults.add("stall")
    with engine_of(faults=faults) as engine, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(engine.infer, ROW)
        await_stall(faults)
        faults.clear()
        assert np.array_equal(answer.result(), ROW * 2)


def test_only_the_engine_that_was_given_faults_has_them() -> None:
    faults = im.Faults()
    faults.add("error", ratio=1)
    delay = im.DelayModel(inputs=SPECS)
    with engine_of(delay, faults=faults) as faulty, engine_of(delay) as other:
        with pytest.raises(im.InjectedFaultError):
            faulty.infer(ROW)
        assert np.array_equal(other.infer(ROW), ROW)


def test_a_schedule() -> None:
    faults = im.Faults()
    assert repr(faults) == "<inferometer.Faults, active: []>"
    faults.add("error", ratio=1, start_after=HOUR)
    faults.add("delay", seconds=0.5, duration=1e-9)
    faults.add("partial", ratio=0.0, duration=HOUR)
    faults.add("stall", start_after=HOUR, duration=1)
    faults.add("delay", seconds=0.001)
    partial, delay = faults.active()
    assert partial.pop("ends_in") <= HOUR
    assert partial == {"kind": "partial", "ratio": 0.0}
    assert delay == {"kind": "delay", "seconds": 0.001, "ends_in": None}
    assert repr(faults) == "<inferometer.Faults, active: ['partial', 'delay']>"
    with engine_of(faults=faults) as engine:
        assert np.array_equal(engine.infer(ROW), ROW * 2)
    assert faults.injected() == {"delay": 1, "error": 0, "stall": 0, "partial": 0}
    faults.clear("delay")
    assert [fault["kind"] for fault in faults.active()] == ["partial"]
    faults.clear()
    assert faults.active() == []


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        ("slow", {}, "kind: got 'slow', want 'delay', 'error', 'stall' or 'partial'"),
        (None, {}, "kind: got None, want 'delay'"),
        ([], {}, "kind: got [], want 'delay'"),
        ("delay", {}, "seconds: got None, want seconds"),
        ("delay", {"seconds": -1}, "seconds: got -1.000000, want seconds, 0 or more"),
        ("delay", {"seconds": "1"}, "seconds: got '1', want seconds"),
        ("delay", {"seconds": 1, "ratio": 1}, "ratio: got 1 for a fault 'delay', want none"),
        ("error", {}, "ratio: got None, want a number"),
        ("error", {"ratio": 1.5}, "ratio: got 1.500000, want 0 to 1"),
        ("partial", {"ratio": float("nan")}, "ratio: got nan, want 0 to 1"),
        ("partial", {"seconds": 1, "ratio": 1}, "seconds: got 1 for a fault 'partial', want none"),
        ("stall", {"seconds": 1}, "seconds: got 1 for a fault 'stall', want none"),
        ("stall", {"start_after": -1}, "start_after: got -1.000000, want seconds, 0 or more"),
        ("stall", {"start_after": None}, "start_after: got None, want seconds"),
        ("stall", {"duration": 0}, "duration: got 0.000000, want more than 0 seconds, or none"),
        ("stall", {"duration": "1"}, "duration: got '1', want seconds or None"),
    ],
)
def test_refused_faults(kind: Any, options: dict[str, Any], text: str) -> None:
    faults = im.Faults()
    with pytest.raises(im.ConfigError) as caught:
        faults.add(kind, **options)
    assert text in str(caught.value)
    assert faults.active() == []


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, "1", True])
def test_refused_seeds(seed: Any) -> None:
    with pytest.raises(im.ConfigError, match=r"seed: got .*, want an int from 0 to"):
        im.Faults(seed=seed)


def test_what_else_is_refused() -> None:
    with pytest.raises(im.ConfigError, match=r"kind: got 'slow', want .* or None"):
        im.Faults().clear("slow")  # type: ignore[arg-type]
    with pytest.raises(im.ConfigError, match="faults: got int, want Faults or None"):
        engine_of(faults=1)


def test_totals_by_outcome_are_the_requests_sent(model: Any) -> None:
    faults = im.Faults(seed=2)
    batching = im.Batching(max_batch_size=16, max_queue_size=24)
    each = 100
    seen: Counter[str] = Counter()

    def call(engine: im.Engine, number: int) -> str:
        row = np.full((1, 4), number, np.float32)
        try:
            answer = engine.infer(row, timeout=0.001 if number % 9 == 0 else None)
        except im.InjectedFaultError:
            return "failure"
        except im.DeadlineExceededError:
            return "timeout"
        except im.QueueFullError:
            return "rejected"
        assert np.array_equal(answer, row)
        return "success"

    with engine_of(model, faults=faults, batching=batching) as engine:
        with ThreadPoolExecutor(8) as pool:
            for part in range(4):
                faults.add("error", ratio=0.2)
                faults.add("partial", ratio=0.2)
                faults.add("delay", seconds=0.0005, start_after=0.002, duration=0.05)
                faults.add("stall", start_after=0.005, duration=0.01)
                numbers = range(part * each, (part + 1) * each)
                seen.update(pool.map(call, [engine] * each, numbers))
                faults.clear()
        counted = engine.stats()["requests"]
    assert sum(seen.values()) == 4 * each
    assert {status: count for status, count in counted.items() if count} == dict(seen)
    assert seen["failure"] > 0 and seen["success"] > 0
