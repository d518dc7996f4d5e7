"""Rules of batching through the engine: preferred sizes, priorities, policies, padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel


def row(value: float, length: int = 4) -> np.ndarray[Any, Any]:
    return np.full((1, length), value, "f4")


def total(registry: im.Registry, name: str, **labels: str) -> float | None:
    return registry.sample_value(name, {"model_name": "m", **labels})


def test_preferred_sizes_are_sent_exactly(registry: im.Registry) -> None:
    batching = im.Batching(max_batch_size=8, preferred_batch_sizes=(4,), max_queue_delay=60)
    with (
        GatedModel() as model,
        im.Engine(model, name="m", batching=batching, registry=registry) as engine,
    ):
        requests = [engine.submit(row(i)) for i in range(6)]
        model.release()
        for request in requests[:4]:
            request.result()
            assert request.timing.reason == "preferred"
            assert request.timing.batch_size == 4
        assert not requests[4].done()  # they wait for company
        requests += [engine.submit(row(i)) for i in range(2)]
        model.release()
        assert {request.timing.reason for request in requests[4:] if request.result() is not None}
        assert model.batches == [4, 4]


def test_unmerged_requests_wait_in_the_engines_queue(registry: im.Registry) -> None:
    batching = im.Batching(max_batch_size=4, max_queue_size=3, merge_requests=False)
    with (
        GatedModel() as model,
        im.Engine(model, name="m", batching=batching, registry=registry, inline_limit=0) as engine,
    ):
        running = engine.submit(np.concatenate([row(0)] * 3))
        model.wait_entered(1)
        late = engine.submit(row(1), timeout=0.02)
        waiting = [engine.submit(np.concatenate([row(i)] * i)) for i in (2, 1)]
        assert total(registry, "inference_queue_depth") == 3
        with pytest.raises(im.QueueFullError, match="got 3 waiting requests, want fewer than 3"):
            engine.submit(row(4))
        with pytest.raises(im.DeadlineExceededError):
            late.result()
        model.release(3)
        for request in (running, *waiting):
            request.result()
            assert request.timing.reason == "idle"
        assert model.batches == [3, 2, 1]


def test_unmerged_requests_run_on_every_free_instance(registry: im.Registry) -> None:
    batching = im.Batching(max_batch_size=4, merge_requests=False)
    with (
        GatedModel() as model,
        im.Engine(
            model, name="m", batching=batching, registry=registry, instances=2, inline_limit=0
        ) as engine,
    ):
        requests = [engine.submit(np.concatenate([row(i)] * 3)) for i in range(3)]
        model.wait_entered(2)
        assert total(registry, "inference_queue_depth") == 1
        model.release(3)
        for request in requests:
            request.result()
        assert model.batches == [3, 3, 3]


def test_the_urgent_are_served_first(registry: im.Registry) -> None:
    batching = im.Batching(max_batch_size=1, priority_levels=3)
    served: list[float] = []

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        served.append(float(x[0, 0]))
        return x

    gate = GatedModel()

    def gated(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        gate(x)
        return model(x)

    with gate, im.Engine(gated, name="m", batching=batching, registry=registry) as engine:
        first = engine.submit(row(0))
        gate.wait_entered(1)
        levels = (3, 1, 0, 2, 1, 3)  # 0 is the middle one, 2
        requests = [first] + [
            engine.submit(row(10 + i), priority=level) for i, level in enumerate(levels)
        ]
        gate.release(len(requests))
        for request in requests:
            request.result()
        assert served == [0, 11, 14, 12, 13, 10, 15]
        with pytest.raises(im.ConfigError, match="priority: got 4, want 0 to 3"):
            engine.infer(row(1), priority=4)


def test_a_level_may_be_full_while_others_are_not(registry: im.Registry) -> None:
    policy = im.QueuePolicy(max_queue_size=1)
    batching = im.Batching(priority_levels=2, priority_queue_policy={2: policy})
    with (
        GatedModel() as model,
        im.Engine(model, name="m", batching=batching, registry=registry) as engine,
    ):
        running = engine.submit(row(0))
        model.wait_entered(1)
        waiting = engine.submit(row(1), priority=2)
        with pytest.raises(im.QueueFullError, match="level 2 of the queue is full: got 1") as full:
            engine.submit(row(2), priority=2)
        assert full.value.retry_after > 0
        urgent = engine.submit(row(3), priority=1)
        model.release(3)
        for request in (running, waiting, urgent):
            request.result()
    assert total(registry, "inference_requests_total", status="rejected") is None  # closed


def test_a_queue_bounded_in_bytes(registry: im.Registry) -> None:
    batching = im.Batching(max_queue_bytes=40)
    with (
        GatedModel() as model,
        im.Engine(model, name="m", batching=batching, registry=registry) as engine,
    ):
        requests = [engine.submit(row(0))]
        model.wait_entered(1)
        requests += [engine.submit(row(i)) for i in range(2)]
        with pytest.raises(im.QueueFullError, match="got a request of 16 bytes behind 32 waiting"):
            engine.submit(row(3))
        model.release(3)
        for request in requests:
            request.result()


def test_who_waits_too_long_is_put_behind(registry: im.Registry) -> None:
    policy = im.QueuePolicy(timeout=1e-6, timeout_action="delay")
    batching = im.Batching(max_batch_size=1, priority_levels=2, priority_queue_policy={1: policy})
    served: list[float] = []
    gate = GatedModel()

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        gate(x)
        served.append(float(x[0, 0]))
        return x

    with gate, im.Engine(model, name="m", batching=batching, registry=registry) as engine:
        requests = [engine.submit(row(0), priority=2)]
        gate.wait_entered(1)
        requests.append(engine.submit(row(1), priority=1))  # late as soon as anybody looks
        requests.append(engine.submit(row(2), priority=2))
        gate.release(3)
        for request in requests:
            request.result()
    assert served == [0, 2, 1]


class TestPadding:
    """Requests of different lengths in one batch."""

    def test_lengths_share_a_batch_and_get_their_own_back(self, registry: im.Registry) -> None:
        seen: list[np.ndarray[Any, Any]] = []
        gate = GatedModel()

        def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            gate(x)
            seen.append(x.copy())
            return x * 2

        batching = im.Batching(padding=im.Padding(axis=1, value=-1, trim_outputs=True))
        spec = im.Spec("x", "float32", (-1, -1))
        with (
            gate,
            im.Engine(
                model, name="m", inputs=[spec], batching=batching, registry=registry
            ) as engine,
        ):
            first = engine.submit(row(0, 2))
            gate.wait_entered(1)
            requests = [engine.submit(row(i, length)) for i, length in ((1, 3), (2, 1), (3, 4))]
            gate.release(2)
            first.result()
            for request, (value, length) in zip(requests, ((1, 3), (2, 1), (3, 4)), strict=True):
                np.testing.assert_array_equal(request.result(), row(2 * value, length))
            assert seen[1].tolist() == [[1, 1, 1, -1], [2, -1, -1, -1], [3, 3, 3, 3]]
            assert total(registry, "inference_elements_total") == 14
            assert total(registry, "inference_padding_elements_total") == 4

    def test_buckets_keep_short_and_long_apart(self, registry: im.Registry) -> None:
        batching = im.Batching(
            max_batch_size=2, max_queue_delay=60, padding=im.Padding(buckets=(2, 8))
        )
        spec = im.Spec("x", "float32", (-1, -1))
        with im.Engine(
            lambda x: x[:, :1] * 2, name="m", inputs=[spec], batching=batching, registry=registry
        ) as engine:
            requests = [engine.submit(row(i, length)) for i, length in enumerate((1, 8, 2, 3))]
            for i, request in enumerate(requests):
                assert request.result().tolist() == [[2 * i]]
                assert request.timing.reason == "full"
            assert total(registry, "inference_padding_elements_total") == 1 + 5

    def test_without_padding_there_are_no_such_families(self, registry: im.Registry) -> None:
        with im.Engine(lambda x: x, name="m", registry=registry) as engine:
            engine.infer(row(1))
            assert total(registry, "inference_elements_total") is None
