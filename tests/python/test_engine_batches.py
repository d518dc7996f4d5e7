"""Batches, overload, deadlines and handles."""

from __future__ import annotations

import concurrent.futures

import numpy as np
import pytest

import inferometer as im
from gated_model import PATIENCE_SECONDS, GatedModel

X = np.ones((1, 2), np.float32)


def count(registry: im.Registry, status: str) -> float | None:
    return registry.sample_value("inference_requests_total", {"model_name": "m", "status": status})


def gauge(registry: im.Registry, name: str) -> float | None:
    return registry.sample_value(name, {"model_name": "m"})


# Batches.


def test_batches_form_while_the_model_is_busy(registry: im.Registry, model: GatedModel) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        first = engine.submit(X)
        model.wait_entered(1)
        assert first.running() and not first.done()
        others = [engine.submit(X) for _ in range(5)]
        assert gauge(registry, "inference_queue_depth") == 5
        assert gauge(registry, "inference_in_flight") == 1
        assert (gauge(registry, "inference_oldest_request_seconds") or 0) > 0
        model.release(2)
        for handle in others:
            assert handle.result(PATIENCE_SECONDS)[0, 0] == 2
        assert model.batches == [1, 5]
        assert others[0].timing.batch_size == 5 and others[0].timing.reason == "idle"
        timing = others[0].timing
        assert timing.total >= timing.queue + timing.compute > 0
        assert gauge(registry, "inference_queue_depth") == 0
        assert gauge(registry, "inference_oldest_request_seconds") == 0


def test_rows_of_one_request_stay_together(registry: im.Registry, model: GatedModel) -> None:
    batching = im.Batching(max_batch_size=4)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        handles = [engine.submit(X)]
        model.wait_entered(1)
        handles += [engine.submit(np.repeat(X, 3, axis=0)) for _ in range(3)]
        model.release(4)
        for handle in handles:
            handle.result(PATIENCE_SECONDS)
        assert model.batches == [1, 3, 3, 3]
        assert handles[1].timing.reason == "full"


def test_a_delay_gathers_company_and_a_full_batch_does_not_wait(registry: im.Registry) -> None:
    batching = im.Batching(max_batch_size=4, max_queue_delay=3600)
    with im.Engine(lambda x: x, name="m", batching=batching, registry=registry) as engine:
        handles = [engine.submit(X) for _ in range(4)]
        assert handles[0].result(PATIENCE_SECONDS).shape == (1, 2)
        assert handles[0].timing.reason == "full" and handles[0].timing.batch_size == 4
        late = engine.submit(X)
        assert engine.drain(PATIENCE_SECONDS)  # does not wait out the delay
        assert late.result().shape == (1, 2) and late.timing.reason == "drain"


def test_a_short_delay_is_paid_once(registry: im.Registry) -> None:
    batching = im.Batching(max_queue_delay=0.002)
    with im.Engine(lambda x: x, name="m", batching=batching, registry=registry) as engine:
        handle = engine.submit(X)
        handle.result(PATIENCE_SECONDS)
        assert handle.timing.reason == "delay" and handle.timing.queue >= 0.002


# Overload and deadlines.


def test_a_full_queue_refuses_at_the_door(registry: im.Registry, model: GatedModel) -> None:
    batching = im.Batching(max_batch_size=1, max_queue_size=2)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        running = engine.submit(X)
        model.wait_entered(1)
        waiting = [engine.submit(X) for _ in range(2)]
        with pytest.raises(
            im.QueueFullError, match="got 2 waiting requests, want fewer than 2"
        ) as e:
            engine.submit(X)
        assert e.value.retry_after > 0
        assert count(registry, "rejected") == 1
        assert gauge(registry, "inference_queue_limit") == 2
        model.release(3)
        for handle in [running, *waiting]:
            handle.result(PATIENCE_SECONDS)
        assert count(registry, "success") == 3
        assert gauge(registry, "inference_latency_seconds_count") == 3


def test_a_deadline_passes_while_the_model_is_busy(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        engine.submit(X)
        model.wait_entered(1)
        with pytest.raises(im.DeadlineExceededError, match="still waited in the queue"):
            engine.infer(X, timeout=0.001)
        handle = engine.submit(X, timeout=0.001)
        assert isinstance(handle.exception(PATIENCE_SECONDS), im.DeadlineExceededError)
        assert handle.timing.batch_size == 0 and handle.timing.reason is None
        assert model.batches == [1]  # they never reached the model
        assert count(registry, "timeout") == 2
        model.release()


def test_a_model_that_does_not_return_in_time(registry: im.Registry, model: GatedModel) -> None:
    batching = im.Batching(default_timeout=0.001)
    with im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        with pytest.raises(im.DeadlineExceededError):
            engine.infer(X)
        survivor = engine.submit(X, timeout=PATIENCE_SECONDS)
        model.release(2)
        assert survivor.result(PATIENCE_SECONDS)[0, 0] == 2
        assert count(registry, "timeout") == 1 and count(registry, "success") == 1


def test_compute_spent_on_requests_already_gone_is_counted(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        handle = engine.submit(X)
        model.wait_entered(1)
        assert handle.cancel() is False  # like concurrent.futures: it runs
        assert handle.cancel(even_running=True) is True
        assert handle.cancelled() and count(registry, "cancelled") == 1
        model.release()
        assert engine.drain(PATIENCE_SECONDS)
        wasted = gauge(registry, "inference_wasted_seconds_total")
        assert wasted is not None and wasted > 0
        assert count(registry, "success") == 0


def test_timeout_zero_and_negative_are_already_late(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        engine.submit(X)
        model.wait_entered(1)
        for timeout in (0, -1, -1e300):
            with pytest.raises(im.DeadlineExceededError):
                engine.infer(X, timeout=timeout)
        model.release()


# Handles.


def test_cancelled_while_queued(registry: im.Registry, model: GatedModel) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        handles = [engine.submit(X)]
        model.wait_entered(1)
        handles += [engine.submit(X * (i + 1)) for i in range(3)]
        assert handles[2].cancel() is True and handles[2].cancel() is False
        assert handles[2].done() and handles[2].cancelled() and not handles[2].running()
        with pytest.raises(concurrent.futures.CancelledError):
            handles[2].result()
        with pytest.raises(concurrent.futures.CancelledError):
            handles[2].exception()
        model.release(2)
        assert handles[1].result(PATIENCE_SECONDS)[0, 0] == 2
        assert handles[3].result(PATIENCE_SECONDS)[0, 0] == 6  # around the hole
        assert model.batches == [1, 2]
        assert handles[3].cancel() is False and handles[3].exception() is None
        assert count(registry, "cancelled") == 1 and count(registry, "success") == 3


def test_result_may_time_out_without_ending_the_request(
    registry: im.Registry, model: GatedModel
) -> None:
    with im.Engine(model, name="m", registry=registry) as engine:
        handle = engine.submit(X)
        with pytest.raises(concurrent.futures.TimeoutError):
            handle.result(timeout=0.001)
        with pytest.raises(im.Error, match="not ended yet"):
            _ = handle.timing
        with pytest.raises(im.ConfigError, match="got nan"):
            handle.result(timeout=float("nan"))
        model.release()
        assert handle.result(PATIENCE_SECONDS)[0, 0] == 2
        assert repr(handle.timing).startswith("Timing(queue=")
