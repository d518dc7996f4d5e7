"""What happens when models misbehave and when engines end."""

from __future__ import annotations

import logging
import threading
from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import PATIENCE_SECONDS, GatedModel

X = np.ones((1, 2), np.float32)


def count(registry: im.Registry, status: str) -> float | None:
    return registry.sample_value("inference_requests_total", {"model_name": "m", "status": status})


def gauge(registry: im.Registry, name: str) -> float | None:
    return registry.sample_value(name, {"model_name": "m"})


# Models that misbehave.


def test_an_exception_fails_its_batch_and_no_other(registry: im.Registry) -> None:
    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if x[0, 0] < 0:
            raise KeyError("negative")
        return x

    with im.Engine(model, name="m", registry=registry) as engine:
        with pytest.raises(im.ModelError, match="model of engine 'm': KeyError: 'negative'") as e:
            engine.infer(-X)
        assert isinstance(e.value.__cause__, KeyError)
        assert e.value.__cause__.__traceback__ is not None
        assert engine.infer(X)[0, 0] == 1
        assert count(registry, "failure") == 1 and count(registry, "success") == 1


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda x: x[:0], "returned 0 rows for output .*, want 1, one for each input row"),
        (lambda x: np.concatenate([x, x]), "returned 2 rows for output .*, want 1"),
        (lambda x: np.float32(1) * x.sum(), "returned float32, want a numpy array"),
        (lambda x: np.array(x.sum()), "is a scalar, want rows first"),
        (lambda x: x.tolist(), "returned list, want a numpy array or a dict"),
        (lambda x: None, "returned NoneType"),
        (lambda x: {"y": [1]}, "returned list for output y, want a numpy array"),
        (lambda x: {}, "returned no output"),
        (lambda x: x.astype(object), "got object"),
        (lambda x: x.astype("U4"), "got <U"),
    ],
)
def test_a_breach_of_contract_is_a_model_error(
    registry: im.Registry, answer: Any, text: str
) -> None:
    with im.Engine(answer, name="m", registry=registry) as engine:
        with pytest.raises(im.ModelError, match=text):
            engine.infer(X)
        assert count(registry, "failure") == 1


def test_another_dtype_or_other_names_than_before(registry: im.Registry) -> None:
    answers = iter([X, X.astype(np.float64), {"y": X}, X])
    with im.Engine(lambda x: next(answers), name="m", registry=registry) as engine:
        engine.infer(X)
        with pytest.raises(im.ModelError, match=r"returned float64 .*, want float32"):
            engine.infer(X)
        with pytest.raises(im.ModelError, match="returned outputs y, want output"):
            engine.infer(X)
        engine.infer(X)


def test_a_model_may_return_its_input(registry: im.Registry) -> None:
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        answers = [engine.infer(X * i) for i in range(20)]
        assert [int(answer[0, 0]) for answer in answers] == list(range(20))


def test_a_model_may_keep_its_input_and_nobody_elses_data_shows_up_in_it(
    registry: im.Registry,
) -> None:
    kept: list[np.ndarray[Any, Any]] = []

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with pytest.raises(ValueError, match="read-only"):
            x[:] = 0
        kept.append(x[:, :1])
        return x

    with im.Engine(model, name="m", registry=registry) as engine:
        for i in range(100):
            assert engine.infer(X * i)[0, 0] == i
    assert [int(view[0, 0]) for view in kept] == list(range(100))


def test_a_model_that_reuses_its_output_buffer(registry: im.Registry) -> None:
    buffer = np.empty((1, 2), np.float32)

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        np.multiply(x, 2, out=buffer)
        return buffer

    batching = im.Batching(max_batch_size=1)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        handles = [engine.submit(X * i) for i in range(50)]
        assert [int(h.result()[0, 0]) for h in handles] == [2 * i for i in range(50)]


def test_a_model_that_waits_for_its_own_engine(registry: im.Registry) -> None:
    engines: list[im.Engine] = []

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return engines[0].infer(x)

    with im.Engine(model, name="m", registry=registry) as engine:
        engines.append(engine)
        with pytest.raises(im.ModelError, match="its own model waits for an answer from it"):
            engine.infer(X)
        assert count(registry, "failure") == 1 and count(registry, "cancelled") == 1


# The end.


def test_close_ends_queued_and_running_requests_and_wakes_blocked_callers(
    registry: im.Registry, model: GatedModel, caplog: pytest.LogCaptureFixture
) -> None:
    engine = im.Engine(model, name="m", registry=registry)
    caught: list[BaseException] = []

    def call() -> None:
        try:
            engine.infer(X)
        except im.Error as error:
            caught.append(error)

    callers = [threading.Thread(target=call) for _ in range(4)]
    for caller in callers:
        caller.start()
    model.wait_entered(1)
    while (gauge(registry, "inference_queue_depth") or 0) + model.batches[0] < 4:
        pass  # the callers that are not with the model are still on their way to the queue
    handle = engine.submit(X)
    closer = threading.Thread(target=engine.close)
    closer.start()
    for caller in callers:
        caller.join(PATIENCE_SECONDS)  # before the model has come back
    assert isinstance(handle.exception(PATIENCE_SECONDS), im.ClosedError)
    assert [type(error) for error in caught] == [im.ClosedError] * 4
    with model:
        pass
    closer.join(PATIENCE_SECONDS)
    assert engine.closed and not engine.ready and "closed" in repr(engine)
    assert not caplog.records


def test_a_model_that_never_returns_is_left_behind(
    registry: im.Registry, model: GatedModel, caplog: pytest.LogCaptureFixture
) -> None:
    engine = im.Engine(model, name="m", registry=registry)
    handle = engine.submit(X)
    model.wait_entered(1)
    with caplog.at_level(logging.WARNING, "inferometer"):
        assert engine.close(grace=0.001) is False
    assert "did not come back within 0.001 s" in caplog.text
    assert isinstance(handle.exception(), im.ClosedError)
    im.Engine(lambda x: x, name="m", registry=registry).close()  # the name is free again


def test_use_after_close(registry: im.Registry) -> None:
    engine = im.Engine(lambda x: x, name="m", registry=registry)
    engine.infer(X)
    assert engine.close() is True and engine.close() is True
    for call in (engine.infer, engine.submit):
        with pytest.raises(im.ClosedError, match="engine 'm' is closed"):
            call(X)
    assert engine.stats()["requests"]["success"] == 1
    assert engine.drain() is True


def test_drain_finishes_what_was_accepted(registry: im.Registry, model: GatedModel) -> None:
    engine = im.Engine(model, name="m", registry=registry)
    handles = [engine.submit(X) for _ in range(3)]
    model.wait_entered(1)
    assert engine.drain(timeout=0.001) is False
    assert not engine.ready and not engine.closed and "draining" in repr(engine)
    with pytest.raises(im.ClosedError, match="engine 'm' is draining"):
        engine.infer(X)
    model.release(3)
    assert engine.drain(PATIENCE_SECONDS) is True
    assert [handle.result()[0, 0] for handle in handles] == [2, 2, 2]
    engine.close()


def test_with_block_drains_and_an_exception_does_not(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        handle = engine.submit(X)
    assert handle.result()[0, 0] == 1
    with pytest.raises(KeyError), im.Engine(model, name="m", registry=registry) as engine:
        handle = engine.submit(X)
        model.wait_entered(1)
        model.release()
        raise KeyError
    assert handle.done()


def test_close_from_inside_the_model(registry: im.Registry) -> None:
    engines: list[im.Engine] = []

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        engines[0].close()
        return x

    engine = im.Engine(model, name="m", registry=registry)
    engines.append(engine)
    with pytest.raises(im.ClosedError):
        engine.infer(X)
    assert engine.closed


def test_an_engine_nobody_holds_is_closed(registry: im.Registry) -> None:
    engine = im.Engine(lambda x: x, name="m", registry=registry)
    engine.infer(X)
    del engine
    assert count(registry, "success") is None
    im.Engine(lambda x: x, name="m", registry=registry).close()
