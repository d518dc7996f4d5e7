"""The history from Python: what it shows of an engine, its errors, threads, fork and exit."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import inferometer as im
from conftest import ROOT
from polling import wait_until
from test_process import PRELUDE, run

# Samples are taken by hand: the history's own thread sleeps through the test.
BY_HAND: dict[str, Any] = {"seconds": 36_000.0, "interval": 3_600.0}
MODEL = {"model_name": "m"}
SUCCESSES = {**MODEL, "status": "success"}
X = np.ones((1, 2), np.float32)


@pytest.fixture
def registry() -> im.Registry:
    registry = im.Registry()
    registry.start_history(**BY_HAND)
    return registry


def values(
    registry: im.Registry, name: str, labels: dict[str, str] | None = None
) -> NDArray[np.float64]:
    return registry.history(name, labels)[1]


def test_requests_make_a_rising_curve(registry: im.Registry) -> None:
    with im.Engine(lambda x: x * 2, name="m", registry=registry) as engine:
        registry.sample_history()
        for _ in range(3):
            engine.infer(X)
            engine.infer(X)
            registry.sample_history()
        counts = values(registry, "inference_requests_total", SUCCESSES)
        rows = values(registry, "inference_batch_size_sum", MODEL)
        latencies = values(registry, "inference_latency_seconds_sum", MODEL)
    assert math.isnan(counts[0]), "the history began before the engine did"
    assert counts[1:].tolist() == rows[1:].tolist() == [0, 2, 4, 6]
    assert np.all(np.diff(latencies[1:]) > 0)
    assert engine.closed
    registry.sample_history()
    after = values(registry, "inference_requests_total", SUCCESSES)
    assert after[1:5].tolist() == [0, 2, 4, 6], "a closed engine keeps its past"
    assert math.isnan(after[5])


def test_arrays(registry: im.Registry) -> None:
    registry.sample_history()
    before = time.time()
    with im.Engine(lambda x: x, name="m", registry=registry):
        registry.sample_history()
        times, depths = registry.history("inference_queue_depth", MODEL)
        _, buckets = registry.history("inference_batch_size_bucket", MODEL)
        _, one = registry.history("inference_batch_size_bucket", {**MODEL, "le": "+Inf"})
    for array, shape in ((times, (3,)), (depths, (3,)), (buckets, (3, 12)), (one, (3,))):
        assert isinstance(array, np.ndarray)
        assert array.dtype == np.float64
        assert array.shape == shape
        assert array.flags.writeable
        assert array.flags.c_contiguous
    assert times[1] <= before <= times[2]
    assert np.array_equal(buckets[:, -1], one, equal_nan=True)


def test_seconds_reach_back_from_now() -> None:
    registry = im.Registry()
    registry.start_history(**BY_HAND)
    name, labels = "inferometer_build_info", {"version": im.__version__}
    assert registry.history(name, labels, seconds=3600)[1].tolist() == [1]
    assert registry.history(name, labels, seconds=math.inf)[1].tolist() == [1]
    times, nothing = registry.history(name, labels, seconds=1e-9)
    assert times.shape == nothing.shape == (0,)


def test_series_that_are_not_there_are_nan(registry: im.Registry) -> None:
    assert np.isnan(values(registry, "inference_queue_depth", {"model_name": "later"})).all()
    assert np.isnan(values(registry, "inference_queue_depth", {"model_name": '\u00e9\n"'})).all()
    assert np.isnan(values(registry, "inference_batch_size_bucket", MODEL)).all()


def test_the_series_there_are(registry: im.Registry) -> None:
    assert registry.history_series("inference_queue_depth") == []
    with im.Engine(lambda x: x, name="m", registry=registry):
        registry.sample_history()
    assert registry.history_series("inference_queue_depth") == [MODEL]
    assert SUCCESSES in registry.history_series("inference_requests_total")
    buckets = registry.history_series("inference_batch_size_bucket")
    assert buckets[0] == {**MODEL, "le": "1.0"}
    assert buckets[-1] == {**MODEL, "le": "+Inf"}
    for labels in buckets:
        assert values(registry, "inference_batch_size_bucket", labels)[-1] == 0


def test_what_is_held_is_told() -> None:
    registry = im.Registry()
    assert registry.history_stats() is None
    registry.start_history()
    stats = registry.history_stats()
    assert stats is not None
    assert (stats["seconds"], stats["interval"], stats["max_bytes"]) == (900, 1, 64 << 20)
    assert stats["samples"] >= 1
    assert (stats["series"], stats["left_out"], stats["lost"]) == (3, 0, 0)
    # The times, and three series of one value; what is stated in docs/history.md.
    assert 900 * (16 + 3 * 8) < stats["bytes"] < 900 * (16 + 3 * 8) + 3 * 1000
    registry.stop_history()
    assert registry.history_stats() is None


def test_what_does_not_fit_is_left_out_and_counted() -> None:
    registry = im.Registry()
    registry.start_history(max_bytes=60_000)
    with im.Engine(lambda x: x, name="m", registry=registry):
        registry.sample_history()
        stats = registry.history_stats()
    assert stats is not None
    assert stats["bytes"] <= 60_000
    assert stats["left_out"] > 10


def test_a_cell_that_starts_it_can_be_run_twice(registry: im.Registry) -> None:
    registry.sample_history()
    registry.start_history(**BY_HAND)
    stats = registry.history_stats()
    assert stats is not None
    assert stats["samples"] == 2
    with pytest.raises(im.ConfigError, match=r"want the same options, or stop_history\(\) first"):
        registry.start_history()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds": 0.0}, "seconds: got 0.0, want 1.0 to 100000.0"),
        ({"seconds": math.nan}, "seconds: got NaN"),
        ({"seconds": 1e6}, "seconds: got 1e.06"),
        ({"interval": 0.0}, "interval: got 0.0 s, want 0.01 to 3600.0"),
        ({"interval": math.nan}, "interval: got NaN s"),
        ({"max_bytes": 100}, "max_bytes: got 100, want 14400 or more"),
        ({"max_bytes": -1}, "max_bytes: got -1, want 14400 or more"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    registry = im.Registry()
    with pytest.raises(im.ConfigError, match=message):
        registry.start_history(**options)
    assert registry.history_stats() is None


@pytest.mark.parametrize(
    "ask",
    [
        lambda registry: registry.history("inference_queue_depth", MODEL),
        lambda registry: registry.history_series("inference_queue_depth"),
        lambda registry: registry.sample_history(),
    ],
)
def test_without_a_history(ask: Callable[[im.Registry], object]) -> None:
    registry = im.Registry()
    registry.stop_history()
    with pytest.raises(im.ConfigError, match=r"call start_history\(\) on this registry first"):
        ask(registry)


@pytest.mark.parametrize(
    ("name", "labels", "seconds", "message"),
    [
        ("jobs_total", None, None, 'got the sample name "jobs_total", want one of the catalogue'),
        ("inference_latency_seconds", MODEL, None, "inference_latency_seconds_bucket, "),
        ("inference_queue_depth", None, None, r"got the labels \(\), want \(model_name\)"),
        ("inference_queue_depth", SUCCESSES, None, r"\(model_name, status\), want \(model_name\)"),
        ("inference_batch_size_bucket", {**MODEL, "le": "1"}, None, 'le "1", want one of 1.0, 2.0'),
        ("inference_queue_depth", MODEL, 0.0, "seconds: got 0.0, want more than 0"),
        ("inference_queue_depth", MODEL, -1.0, "seconds: got -1.0"),
        ("inference_queue_depth", MODEL, math.nan, "seconds: got NaN"),
        ("\ud800", None, None, "lone surrogates"),
        ("inference_queue_depth", {"model_name": "\ud800"}, None, "lone surrogates"),
    ],
)
def test_wrong_questions(
    registry: im.Registry,
    name: str,
    labels: dict[str, str] | None,
    seconds: float | None,
    message: str,
) -> None:
    registry.counter("jobs").inc()  # the application's own are not kept
    with pytest.raises(im.ConfigError, match=message):
        registry.history(name, labels, seconds)


def test_it_samples_while_somebody_holds_the_gil() -> None:
    registry = im.Registry()
    registry.start_history(seconds=60, interval=0.01)

    def sampled_meanwhile() -> bool:
        begin = time.time()
        sum(range(2_000_000))  # one call that never gives the GIL away
        end = time.time()
        times, _ = registry.history("inferometer_dropped_series_total")
        return bool(np.any((begin < times) & (times < end)))

    wait_until(sampled_meanwhile, bool, "a sample taken under the GIL", 30, interval=0)


def test_a_registry_that_goes_takes_its_thread_along() -> None:
    run(
        PRELUDE
        + """
def tasks():
    return len(os.listdir("/proc/self/task"))
before = tasks()
registry = im.Registry()
assert tasks() == before
registry.start_history(interval=0.01, seconds=1)
assert tasks() == before + 1
del registry
while tasks() > before:  # a thread that was joined may be listed for a moment
    pass
"""
    )


def test_the_interpreter_exits_with_running_histories() -> None:
    out = run(
        PRELUDE
        + """
im.default_registry().start_history(seconds=1, interval=0.01)
leaked = im.Registry()
leaked.start_history(seconds=1, interval=0.01)
os.leaked = leaked
engine = im.Engine(lambda x: x, name="m")
engine.infer(X)
print("exiting")
"""
    )
    assert out == "exiting"


def test_a_forked_child_has_no_history_and_may_start_one() -> None:
    out = run(
        PRELUDE
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of fork with threads
registry = im.default_registry()
registry.start_history(seconds=1, interval=0.01)
for _ in range(5):
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        assert registry.history_stats() is None
        try:
            registry.history("inferometer_dropped_series_total")
            os._exit(1)
        except im.ConfigError as error:
            assert "a forked child does not inherit it" in str(error), error
        registry.start_history(seconds=1, interval=0.01)
        registry.sample_history()
        assert registry.history_stats()["samples"] >= 2
        sys.exit(0)  # with a history running
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
newest = lambda: registry.history("inferometer_dropped_series_total")[0][-1]
seen = newest()
while newest() == seen:
    pass
print("parent goes on")
"""
    )
    assert out == "parent goes on"


def test_the_examples_of_the_documentation() -> None:
    text = (ROOT / "docs/history.md").read_text(encoding="utf-8")
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) == 3
    names: dict[str, Any] = {}
    try:
        for snippet in snippets[:2]:
            exec(compile(snippet, "docs/history.md", "exec"), names)
        assert names["requests"][-1] == 1000
        assert np.nanmax(names["rate"]) > 0
        assert names["p95"].shape == names["times"][1:].shape
        assert 25e-6 <= names["p95"][-1] <= 60
        exec(compile(snippets[2], "docs/history.md", "exec"), names)
        assert im.default_registry().history_stats() is None
    finally:
        im.default_registry().stop_history()
        names["engine"].close()
