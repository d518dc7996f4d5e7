"""Several instances, warm-up, live changes."""

from __future__ import annotations

import gc
import signal
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import inferometer as im
import onnx_files
import workloads
from gated_model import PATIENCE_SECONDS, GatedModel

Array = np.ndarray[Any, Any]


def row(value: float) -> Array:
    return np.full((1, 4), value, "f4")


class Times:
    """Multiplies; can be watched."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: Array) -> Array:
        return x * self.factor


def test_instances_run_at_the_same_time(registry: im.Registry) -> None:
    both = threading.Barrier(2, timeout=PATIENCE_SECONDS)

    def model(x: Array) -> Array:
        both.wait()  # nobody gets through alone
        return x * 2

    with im.Engine(
        model,
        name="m",
        instances=2,
        batching=im.Batching(max_batch_size=1),
        registry=registry,
    ) as engine:
        assert engine.instances == 2
        requests = [engine.submit(row(i)) for i in range(10)]
        for i, request in enumerate(requests):
            np.testing.assert_array_equal(request.result(), row(2 * i))
        for instance in ("0", "1"):
            labels = {"model_name": "m", "model_instance": instance}
            assert (registry.sample_value("inference_busy_seconds_total", labels) or 0) > 0


def test_per_instance_makes_one_model_each(registry: im.Registry) -> None:
    made: list[Times] = []

    def factory() -> Times:
        made.append(Times(3))
        return made[-1]

    with im.Engine.per_instance(factory, instances=3, name="m", registry=registry) as engine:
        assert len(set(map(id, made))) == 3
        np.testing.assert_array_equal(engine.infer(row(1)), row(3))
        assert isinstance(engine, im.Engine)
        engine.swap(lambda: Times(5))
        np.testing.assert_array_equal(engine.infer(row(1)), row(5))
    with pytest.raises(im.ConfigError, match="factory: got int, want a callable"):
        im.Engine.per_instance(3, instances=2, name="m")  # type: ignore[arg-type]


def test_the_worker_alone_serves_too(registry: im.Registry) -> None:
    threads: set[int] = set()

    def model(x: Array) -> Array:
        threads.add(threading.get_ident())
        return x

    with im.Engine(model, name="m", caller_runs=False, registry=registry) as engine:
        for i in range(20):
            engine.infer(row(i))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_a_lone_caller_runs_the_model_itself(registry: im.Registry) -> None:
    threads: list[int] = []

    def model(x: Array) -> Array:
        threads.append(threading.get_ident())
        return x + 1

    with im.Engine(model, name="m", registry=registry) as engine:
        for i in range(20):
            np.testing.assert_array_equal(engine.infer(row(i)), row(i + 1))
        assert threads[-10:] == [threading.get_ident()] * 10
        assert engine.stats()["requests"]["success"] == 20
        assert engine.stats()["batches"]["idle"] == 20


def test_what_a_lone_call_keeps_never_changes(registry: im.Registry) -> None:
    kept: list[Array] = []

    def model(x: Array) -> Array:
        kept.append(x)
        return x

    with im.Engine(model, name="m", registry=registry) as engine:
        x = row(0)
        for i in range(10):
            x[:] = i
            answer = engine.infer(x)
            answer[:] = -1
        for i, view in enumerate(kept):
            np.testing.assert_array_equal(view, row(i))
            assert not view.flags.writeable


class TestWarmUp:
    """Requests that run before the first real one."""

    def test_it_runs_on_every_instance_and_is_not_recorded(self, registry: im.Registry) -> None:
        seen: list[int] = []

        def model(x: Array) -> Array:
            seen.append(len(x))
            return x

        with im.Engine(
            model,
            name="m",
            instances=2,
            warmup=[row(1), {"input": np.zeros((3, 4), "f4")}],
            registry=registry,
        ) as engine:
            assert sorted(seen) == [1, 1, 3, 3]
            assert engine.stats()["requests"]["success"] == 0
            assert engine.inputs[0].shape == (-1, 4)

    def test_a_request_that_does_not_fit(self, registry: im.Registry) -> None:
        with pytest.raises(im.ShapeError, match=r"warm-up sample 1: .*got shape"):
            im.Engine(
                lambda x: x, name="m", warmup=[row(1), np.zeros((1, 5), "f4")], registry=registry
            )
        with pytest.raises(im.DTypeError, match="got list"):
            im.Engine(lambda x: x, name="m", warmup=[[1.0]], registry=registry)  # type: ignore[list-item]

    def test_a_model_that_fails(self, registry: im.Registry) -> None:
        def broken(x: Array) -> Array:
            raise RuntimeError("no weights")

        text = r"^warm-up sample 0: failed: RuntimeError: no weights$"
        with pytest.raises(im.ModelError, match=text) as caught:
            im.Engine(broken, name="m", warmup=[row(1)], registry=registry)
        assert isinstance(caught.value.__cause__, RuntimeError)
        with im.Engine(lambda x: x, name="m", warmup=[row(1)], registry=registry) as engine:
            with pytest.raises(im.ModelError, match=text) as caught:
                engine.swap(broken)
            assert isinstance(caught.value.__cause__, RuntimeError)
            np.testing.assert_array_equal(engine.infer(row(1)), row(1))

    def test_ctrl_c_in_a_model(self, registry: im.Registry) -> None:
        def interrupted(x: Array) -> Array:
            signal.raise_signal(signal.SIGINT)
            return x

        with pytest.raises(KeyboardInterrupt):
            im.Engine(interrupted, name="m", warmup=[row(1)], registry=registry)
        with im.Engine(lambda x: x, name="m", warmup=[row(1)], registry=registry) as engine:
            with pytest.raises(KeyboardInterrupt):
                engine.swap(interrupted)
            np.testing.assert_array_equal(engine.infer(row(1)), row(1))


class TestReconfigure:
    """Other rules while the engine runs."""

    def test_a_lowered_delay_lets_go_of_what_waits(self, registry: im.Registry) -> None:
        with im.Engine(
            lambda x: x, name="m", batching=im.Batching(max_queue_delay=3600), registry=registry
        ) as engine:
            request = engine.submit(row(1))
            assert not request.done()
            engine.reconfigure(im.Batching(max_queue_size=7))
            np.testing.assert_array_equal(request.result(PATIENCE_SECONDS), row(1))
            limit = registry.sample_value("inference_queue_limit", {"model_name": "m"})
            assert limit == 7

    def test_wrong_options_change_nothing(self, registry: im.Registry) -> None:
        with im.Engine(lambda x: x, name="m", registry=registry) as engine:
            with pytest.raises(im.ConfigError, match="max_batch_size: got 0"):
                engine.reconfigure(im.Batching(max_batch_size=0))
            with pytest.raises(im.ConfigError, match="batching: got int, want Batching"):
                engine.reconfigure(3)  # type: ignore[arg-type]
            with pytest.raises(im.ConfigError, match="padding: got"):
                engine.reconfigure(im.Batching(padding=im.Padding()))
            engine.infer(np.zeros((64, 4), "f4"))


class TestSwap:
    """Another model under load."""

    def test_what_was_accepted_finishes_on_the_old_one(self, registry: im.Registry) -> None:
        with GatedModel() as old, im.Engine(old, name="m", registry=registry) as engine:
            running = engine.submit(row(1))
            old.wait_entered(1)
            waiting = engine.submit(row(2))
            engine.swap(Times(10))
            later = engine.submit(row(3))
            old.release(2)
            np.testing.assert_array_equal(running.result(), row(2))
            np.testing.assert_array_equal(waiting.result(), row(4))
            np.testing.assert_array_equal(later.result(), row(30))

    def test_the_old_one_is_let_go(self, registry: im.Registry) -> None:
        old = Times(2)
        held = weakref.ref(old)
        with im.Engine(old, name="m", registry=registry) as engine:
            for i in range(10):
                engine.infer(row(i))
            del old
            engine.swap(Times(3))
            np.testing.assert_array_equal(engine.infer(row(1)), row(3))
            gc.collect()
            assert held() is None

    def test_under_load_nothing_is_lost_or_mixed(self, registry: im.Registry) -> None:
        with im.Engine(Times(1), name="m", registry=registry) as engine:
            answers: list[float] = []

            def call() -> None:
                for _ in range(300):
                    answers.append(float(engine.infer(row(1))[0, 0]))

            threads = [threading.Thread(target=call) for _ in range(4)]
            for thread in threads:
                thread.start()
            for factor in range(2, 30):
                engine.swap(Times(factor))
            for thread in threads:
                thread.join()
            assert len(answers) == 1200
            assert set(answers) <= set(map(float, range(1, 30)))
            assert engine.stats()["requests"]["success"] == 1200
            assert engine.infer(row(1))[0, 0] == 29

    def test_outputs_are_called_as_the_first_model_says_that_declares_them(
        self, registry: im.Registry
    ) -> None:
        silent = im.DelayModel()
        with im.Engine(silent, name="m", registry=registry) as engine:
            given = {"x": row(1)}
            assert list(engine.infer(given)) == ["x"]  # as its inputs
            accepted = engine.submit(given)
            engine.swap(workloads.native(workloads.identity(4)))
            assert list(engine.infer(given)) == list(engine.submit(given).result()) == ["y"]
            np.testing.assert_array_equal(engine.infer(row(2)), row(2))
            assert [answer.shape for answer in accepted.result().values()] == [(1, 4)]
            engine.swap(silent)
            assert list(engine.infer(given)) == ["y"]

    def test_a_model_with_more_outputs_than_were_declared_fails(
        self, registry: im.Registry
    ) -> None:
        specs = [im.Spec(name, "float32", (-1, 4)) for name in ("a", "b")]
        given = {"a": row(1), "b": row(2)}
        total = workloads.native(
            onnx_files.model(
                [onnx_files.node("Add", ["a", "b"], "y")],
                {"a": ["rows", 4], "b": ["rows", 4]},
                {"y": ["rows", 4]},
            )
        )
        with im.Engine(total, name="m", registry=registry) as engine:
            np.testing.assert_array_equal(engine.infer(given)["y"], row(3))
            with pytest.raises(im.ConfigError, match="got a model with 2 outputs, want 1"):
                engine.swap(im.DelayModel(inputs=specs))
            engine.swap(im.DelayModel())
            for call in (engine.infer, lambda given: engine.submit(given).result()):
                with pytest.raises(im.ModelError, match="returned 2 outputs, want 1"):
                    call(given)

    def test_other_inputs_or_kinds_are_refused(self, registry: im.Registry) -> None:
        native = workloads.native(workloads.identity(4))
        with im.Engine(native, name="m", registry=registry) as engine:
            with pytest.raises(im.ConfigError, match="got a model with"):
                engine.swap(workloads.native(workloads.identity(5)))
            with pytest.raises(im.ConfigError, match="got a model of another kind"):
                engine.swap(Times(1))
            with pytest.raises(im.ConfigError, match="model: got int"):
                engine.swap(3)  # type: ignore[arg-type]
            assert engine.infer(row(1)).shape == (1, 4)
