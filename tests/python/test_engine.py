"""The engine over Python callables: what goes in, what comes out, what is refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import inferometer as im


def double(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return x * 2


def rows(count: int, start: int = 0) -> np.ndarray[Any, Any]:
    return np.arange(start, start + 4 * count, dtype=np.float32).reshape(count, 4)


def requests(registry: im.Registry, name: str, status: str) -> float | None:
    return registry.sample_value("inference_requests_total", {"model_name": name, "status": status})


# What models may be.


def test_a_function(registry: im.Registry) -> None:
    with im.Engine(double, name="m", registry=registry) as engine:
        answer = engine.infer(rows(3))
        np.testing.assert_array_equal(answer, rows(3) * 2)
        assert answer.flags.owndata and answer.flags.writeable
    assert requests(registry, "m", "success") is None  # the series left with the engine


def test_a_method_of_a_stateful_object(registry: im.Registry) -> None:
    class Counting:
        def __init__(self) -> None:
            self.batches = 0
            self.local = threading.local()

        def predict(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            self.batches += 1
            self.local.calls = getattr(self.local, "calls", 0) + 1
            return np.full(len(x), self.local.calls)

    model = Counting()
    with im.Engine(model.predict, name="m", registry=registry) as engine:
        assert [int(engine.infer(rows(1))[0]) for _ in range(3)] == [1, 2, 3]
    assert model.batches == 3  # and threading.local lived from batch to batch


def test_a_callable_object(registry: im.Registry) -> None:
    class Add:
        def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            return x + 1

    with im.Engine(Add(), name="m", registry=registry) as engine:
        np.testing.assert_array_equal(engine.infer(rows(2)), rows(2) + 1)


def test_a_scikit_learn_estimator(registry: im.Registry) -> None:
    from sklearn.linear_model import LogisticRegression

    x = np.random.default_rng(0).normal(size=(40, 4))
    estimator = LogisticRegression().fit(x, (x[:, 0] > 0).astype(int))
    with im.Engine(estimator.predict_proba, name="m", registry=registry) as engine:
        np.testing.assert_allclose(engine.infer(x[:5]), estimator.predict_proba(x[:5]))


def test_a_torch_module(registry: im.Registry) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install torch)")
    module = torch.nn.Linear(4, 3)
    model = torch.inference_mode()(lambda x: module(torch.tensor(x)).numpy())
    with im.Engine(model, name="m", registry=registry) as engine:
        want = module(torch.tensor(rows(2))).detach().numpy()
        np.testing.assert_allclose(engine.infer(rows(2)), want, rtol=1e-6)


def test_several_named_inputs_and_outputs(registry: im.Registry) -> None:
    def model(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> dict[str, Any]:
        return {"sum": a + b, "difference": a - b}

    specs = [im.Spec("a", "float32", (-1, 4)), im.Spec("b", "float32", (-1, 4))]
    with im.Engine(model, name="m", inputs=specs, registry=registry) as engine:
        answer = engine.infer({"b": rows(2), "a": rows(2, 10)})
        np.testing.assert_array_equal(answer["sum"], rows(2) + rows(2, 10))
        np.testing.assert_array_equal(answer["difference"], rows(2, 10) - rows(2))
        one = engine.infer_one({"a": rows(1)[0], "b": rows(1)[0]})
        np.testing.assert_array_equal(one["sum"], rows(1)[0] * 2)


def test_names_fixed_by_the_first_request(registry: im.Registry) -> None:
    def model(**arrays: Any) -> dict[str, Any]:
        return {name: array + 1 for name, array in arrays.items()}

    with im.Engine(model, name="m", registry=registry) as engine:
        assert engine.inputs == []
        answer = engine.infer({"left": rows(1), "right": np.zeros(1, np.int64)})
        assert answer["right"].tolist() == [1]
        assert engine.inputs == [
            im.Spec("left", "float32", (-1, 4)),
            im.Spec("right", "int64", (-1,)),
        ]
        with pytest.raises(im.InputError, match="missing input 'right', want 'left', 'right'"):
            engine.infer({"left": rows(1)})


def test_one_declared_input_is_positional_whatever_form_it_is_given_in(
    registry: im.Registry,
) -> None:
    specs = [im.Spec("x", "float32", (-1, 4))]
    with im.Engine(double, name="m", inputs=specs, registry=registry) as engine:
        np.testing.assert_array_equal(engine.infer(rows(1)), rows(1) * 2)
        np.testing.assert_array_equal(engine.infer({"x": rows(1)})["output"], rows(1) * 2)


@pytest.mark.parametrize(
    "dtype",
    [
        *("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"),
        *("float16", "float32", "float64"),
    ],
)
def test_every_dtype_comes_back_as_it_went(registry: im.Registry, dtype: str) -> None:
    x = np.array([[0, 1], [1, 0]], dtype=dtype)
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        answer = engine.infer(x)
        assert answer.dtype == x.dtype
        np.testing.assert_array_equal(answer, x)


def test_free_dimensions_batch_only_with_their_like(registry: im.Registry) -> None:
    specs = [im.Spec("x", "float32", (-1, -1))]
    with im.Engine(double, name="m", inputs=specs, registry=registry) as engine:
        handles = [engine.submit(np.full((1, 1 + i % 3), i, np.float32)) for i in range(30)]
        for i, handle in enumerate(handles):
            np.testing.assert_array_equal(handle.result(), np.full((1, 1 + i % 3), 2.0 * i))


# What may be handed in.


def test_non_contiguous_and_read_only_arrays_and_nan_are_legal(registry: im.Registry) -> None:
    with im.Engine(double, name="m", registry=registry) as engine:
        strided = rows(8)[::2]
        transposed = np.asfortranarray(rows(4))
        reverse = rows(4)[::-1]
        frozen = rows(2)
        frozen.flags.writeable = False
        for x in (strided, transposed, reverse, frozen):
            np.testing.assert_array_equal(engine.infer(x), x * 2)
        nan = np.array([[np.nan, 1, np.inf, -0.0]], np.float32)
        np.testing.assert_array_equal(engine.infer(nan), nan * 2)


def test_the_caller_may_reuse_its_array_at_once(registry: im.Registry) -> None:
    with im.Engine(double, name="m", registry=registry) as engine:
        x = rows(1)
        handles = []
        for i in range(50):
            x[:] = i
            handles.append(engine.submit(x))
        assert [handle.result()[0, 0] for handle in handles] == [2.0 * i for i in range(50)]


@pytest.mark.parametrize(
    ("bad", "error", "text"),
    [
        (rows(1).astype(np.float64), im.DTypeError, "got float64, want float32"),
        (rows(1).astype(">f4"), im.DTypeError, "big-endian"),
        (rows(1).astype(complex), im.DTypeError, "got complex128"),
        (np.array([[None] * 4]), im.DTypeError, "got object"),
        ([[1.0] * 4], im.DTypeError, "got list, want a numpy array"),
        (None, im.DTypeError, "got NoneType"),
        (rows(1)[:, :3], im.ShapeError, r"got shape \(1, 3\), want \(-1, 4\)"),
        (rows(1)[0], im.ShapeError, r"got shape \(4,\), want \(-1, 4\)"),
        (np.float32(1)[None][0:0].reshape(0, 4), im.ShapeError, "got 0 rows, want 1 to 8"),
        (rows(9), im.ShapeError, r"got 9 rows, want 1 to 8 \(max_batch_size\)"),
        (np.zeros((1,) * 9, np.float32), im.ShapeError, "got 9 dimensions, want at most 8"),
        ({"y": rows(1)}, im.InputError, "got unknown input 'y', want 'x'"),
        ({}, im.InputError, "got an empty dict"),
        ({1: rows(1)}, im.InputError, "input name of type int, want str"),
        ({"x": [1]}, im.DTypeError, "input 'x': got list, want a numpy array"),
        ({"": rows(1)}, im.InputError, "empty input name"),
    ],
)
def test_what_does_not_fit_is_refused_and_counted(
    registry: im.Registry, bad: Any, error: type[im.Error], text: str
) -> None:
    specs = [im.Spec("x", "float32", (-1, 4))]
    batching = im.Batching(max_batch_size=8)
    with im.Engine(double, name="m", inputs=specs, batching=batching, registry=registry) as engine:
        for call in (engine.infer, engine.submit):
            with pytest.raises(error, match=text):
                call(bad)
        assert requests(registry, "m", "invalid") == 2
        assert registry.sample_value("inference_latency_seconds_count", {"model_name": "m"}) == 0
        np.testing.assert_array_equal(engine.infer(rows(8)), rows(8) * 2)


def test_errors_are_also_the_natural_builtins() -> None:
    assert issubclass(im.ShapeError, ValueError)
    assert issubclass(im.DTypeError, TypeError)
    assert issubclass(im.InputError, ValueError)
    assert issubclass(im.ConfigError, ValueError)
    assert issubclass(im.ModelError, RuntimeError)
    assert issubclass(im.DeadlineExceededError, TimeoutError)
    for error in (
        im.ShapeError,
        im.DTypeError,
        im.InputError,
        im.ConfigError,
        im.ModelError,
        im.DeadlineExceededError,
        im.QueueFullError,
        im.ClosedError,
        im.DeviceError,
        im.UnsupportedOperatorError,
    ):
        assert issubclass(error, im.Error)


def test_infer_one_adds_and_strips_the_row_axis(registry: im.Registry) -> None:
    with im.Engine(double, name="m", registry=registry) as engine:
        np.testing.assert_array_equal(engine.infer_one(rows(1)[0]), rows(1)[0] * 2)
        with pytest.raises(im.DTypeError, match="got list"):
            engine.infer_one([1, 2, 3, 4])
    with im.Engine(lambda x: x + 1, name="m", registry=registry) as engine:
        assert engine.infer_one(np.float32(3)) == 4


# Options.


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"name": ""}, "name: got an empty name"),
        ({"name": 3}, "name: got 3, want a str"),
        ({"version": ""}, "version: got an empty version"),
        ({"instances": 0}, "instances: got 0, want 1 to 1024"),
        ({"instances": 1.0}, "instances: got 1.0, want an int"),
        ({"caller_runs": None}, "caller_runs: got None, want True or False"),
        ({"inline_limit": -1}, "inline_limit: got -1000000000 ns, want 0 or more"),
        ({"inline_limit": "1"}, "inline_limit: got '1', want seconds"),
        ({"warmup": rows(1)}, "warmup: got ndarray, want a list of requests"),
        ({"latency_objective": 0}, "latency_objective: got 0 ns"),
        ({"batching": 64}, "batching: got int, want Batching"),
        ({"registry": "default"}, "registry: got str"),
        ({"latency_objective": "1"}, "latency_objective: got '1', want seconds or None"),
        ({"name": "\ud800"}, "name: got .* want text without lone surrogates"),
        ({"inputs": [1]}, "inputs: got 1, want inferometer.Spec"),
        ({"inputs": [im.Spec("x", "complex64", (-1,))]}, "got dtype 'complex64'"),
        ({"inputs": [im.Spec("", "float32", (-1,))]}, "got an empty name"),
        ({"inputs": [im.Spec("x", "int8", (-1,))] * 2}, "got 'x' twice"),
        ({"batching": im.Batching(max_batch_size=0)}, "max_batch_size: got 0, want 1 to"),
        ({"batching": im.Batching(max_queue_size=0)}, "max_queue_size: got 0"),
        ({"batching": im.Batching(max_queue_delay=-1)}, "max_queue_delay"),
        ({"batching": im.Batching(max_queue_delay=float("nan"))}, "got nan"),
        ({"batching": im.Batching(default_timeout=0)}, "default_timeout"),
        (
            {"batching": im.Batching(preferred_batch_sizes=(4, 4))},
            "preferred_batch_sizes: got 4 after 4, want ascending",
        ),
        ({"batching": im.Batching(priority_levels=65)}, "priority_levels: got 65, want 0 to 64"),
        ({"batching": im.Batching(padding=im.Padding(axis=0))}, "padding.axis: got 0, want 1 to"),
    ],
)
def test_wrong_options(registry: im.Registry, options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.Engine(double, **{"name": "m", "registry": registry, **options})
    im.Engine(double, name="m", registry=registry).close()  # and the name was not taken


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"max_batch_size": 1.5}, "max_batch_size: got 1.5, want an int"),
        ({"max_queue_size": True}, "max_queue_size: got True, want an int"),
        ({"max_queue_delay": None}, "max_queue_delay: got None, want seconds"),
        ({"default_timeout": "1"}, "default_timeout: got '1', want seconds or None"),
    ],
)
def test_wrong_batching(options: dict[str, Any], text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.Batching(**options)


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "text"),
    [
        (3, "float32", (-1,), "name of an input: got 3, want a str"),
        ("\ud800", "float32", (-1,), "want text without lone surrogates"),
        ("x", "float33", (-1,), "input 'x': got dtype 'float33', want bool"),
        ("x", ">f4", (-1,), "got dtype '>f4', want bool"),
        ("x", None, (-1,), "got dtype None, want bool"),
        ("x", "float32", (), r"got shape \(\), want rows first"),
        ("x", "float32", (2, 3), r"got shape \(2, 3\), want rows first"),
        ("x", "float32", (-1, 2.5), r"got shape \(-1, 2.5\), want rows first"),
        ("x", "float32", 7, "got shape 7, want rows first"),
    ],
)
def test_wrong_specs(name: Any, dtype: Any, shape: Any, text: str) -> None:
    with pytest.raises(im.ConfigError, match=text):
        im.Spec(name, dtype, shape)


def test_a_spec_takes_numpys_types() -> None:
    spec = im.Spec("x", np.float32, np.array([-1, 4]))  # type: ignore[arg-type]
    assert spec == im.Spec("x", "float32", (-1, 4))


def test_a_model_that_is_none() -> None:
    with pytest.raises(im.ConfigError, match="model: got int, want a model or a callable"):
        im.Engine(3, name="m")  # type: ignore[call-overload, arg-type, unused-ignore]


@pytest.mark.parametrize("priority", [1, -1])
def test_a_priority_that_does_not_exist(registry: im.Registry, priority: int) -> None:
    with im.Engine(double, name="m", registry=registry) as engine:
        for call in (engine.infer, engine.submit):
            with pytest.raises(im.ConfigError, match=f"priority: got {priority}, want 0 to 0"):
                call(rows(1), priority=priority)
        assert engine.stats()["requests"]["invalid"] == 2


def test_a_nan_timeout(registry: im.Registry) -> None:
    with im.Engine(double, name="m", registry=registry) as engine:
        with pytest.raises(im.ConfigError, match="timeout: got nan"):
            engine.infer(rows(1), timeout=float("nan"))
        np.testing.assert_array_equal(engine.infer(rows(1), timeout=1e300), rows(1) * 2)


def test_a_second_engine_of_the_same_name_and_version(registry: im.Registry) -> None:
    first = im.Engine(double, name="m", registry=registry)
    with pytest.raises(im.ConfigError, match='second engine named "m", version "1"'):
        im.Engine(double, name="m", registry=registry)
    second = im.Engine(double, name="m", version="2", registry=registry)
    first.infer(rows(1))
    second.infer(rows(1))
    assert requests(registry, "m", "success") == 2
    first.close()
    assert requests(registry, "m", "success") == 2  # a counter does not fall
    replacement = im.Engine(double, name="m", version="2", registry=registry, replace=True)
    assert second.closed and replacement.ready
    replacement.close()
    assert requests(registry, "m", "success") is None


# Many callers.


def test_every_caller_gets_its_own_rows(registry: im.Registry) -> None:
    def shuffled(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return x[:, ::-1] + 1

    with (
        im.Engine(shuffled, name="m", registry=registry) as engine,
        ThreadPoolExecutor(16) as pool,
    ):

        def call(i: int) -> bool:
            x = rows(1 + i % 5, 100 * i)
            return bool((engine.infer(x) == x[:, ::-1] + 1).all())

        assert all(pool.map(call, range(2000)))
        stats = engine.stats()
        assert stats["requests"]["success"] == 2000
        assert stats["batch_size"]["count"] == sum(stats["batches"].values())
        assert stats["latency"]["count"] == stats["queue"]["count"] == 2000
        assert registry.sample_value("inference_in_flight", {"model_name": "m"}) == 0


def test_no_metrics_records_nothing() -> None:
    before = im.render_metrics(im.default_registry())[0]
    with im.Engine(double, name="unrecorded", registry=im.NO_METRICS) as engine:
        np.testing.assert_array_equal(engine.infer(rows(1)), rows(1) * 2)
        assert im.render_metrics(im.default_registry())[0] == before
        assert engine.stats()["recording"] is False
        im.Engine(double, name="unrecorded", registry=im.NO_METRICS).close()


def test_the_latency_objective_is_counted(registry: im.Registry) -> None:
    labels = {"model_name": "m"}
    with im.Engine(double, name="m", latency_objective=3600, registry=registry) as engine:
        engine.infer(rows(1))
        assert registry.sample_value("inference_latency_objective_seconds", labels) == 3600
        within = "inference_requests_within_objective_total"
        assert registry.sample_value(within, labels) == 1
    with im.Engine(double, name="m", latency_objective=1e-9, registry=registry) as engine:
        engine.infer(rows(1))
        assert registry.sample_value(within, labels) == 0
