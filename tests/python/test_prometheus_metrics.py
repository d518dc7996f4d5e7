"""The metric types of inferometer.prometheus: native underneath, and what differs on purpose."""

from __future__ import annotations

import asyncio
import gc
import inspect
import math
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import inferometer as im
from inferometer import prometheus
from inferometer._core import ConfigError, CounterCell, MetricCell, SummaryCell, render_cells
from inferometer.prometheus import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
    core,
    generate_latest,
)
from inferometer.prometheus.multiprocess import MultiProcessCollector, mark_process_dead

SURROGATE = "a\ud800b"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_recording_is_a_c_call(registry: CollectorRegistry) -> None:
    assert Counter.inc is CounterCell.inc
    for method in (Counter.inc, Gauge.set, Summary.observe, Histogram.observe, Counter.labels):
        assert type(method).__name__ == "method_descriptor"
    # With it the interpreter would have no fast way to those methods.
    assert not hasattr(Counter, "__getattr__")


def test_children_have_what_is_their_parents(registry: CollectorRegistry) -> None:
    class Documented(Counter):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.made_by_init = True

    for kind in (Counter, Documented):
        child = kind("c", "help", ["a"], unit="s", registry=None).labels("x")
        assert (child._name, child._labelnames, child._labelvalues) == ("c_s", ("a",), ("x",))
        assert (child._documentation, child._unit, str(child)) == ("help", "s", "counter:c_s")
        assert hasattr(child, "made_by_init") == (kind is Documented)
        assert [sample.name for sample in child.collect()[0].samples] == [
            "c_s_total",
            "c_s_created",
        ]


def test_signatures_are_those_of_prometheus_client() -> None:
    import prometheus_client

    for kind, method in (("Counter", "inc"), ("Gauge", "dec"), ("Histogram", "observe")):
        ours = inspect.signature(getattr(getattr(prometheus, kind), method))
        theirs = inspect.signature(getattr(getattr(prometheus_client, kind), method))
        assert list(ours.parameters) == list(theirs.parameters)
        assert [p.default for p in ours.parameters.values()] == [
            p.default for p in theirs.parameters.values()
        ]


def test_children_are_the_same_object_each_time(registry: CollectorRegistry) -> None:
    counter = Counter("c", "h", ["a", "b"], registry=registry)
    child = counter.labels("1", "2")
    assert counter.labels(1, 2) is child
    assert counter.labels(b="2", a=1) is child
    assert counter.labels(**{"".join(["a"]): "1", "".join(["b"]): "2"}) is child
    counter.remove(1, 2)
    assert counter.labels("1", "2") is not child
    child.inc()  # seen by nobody, and harmless
    assert registry.get_sample_value("c_total", {"a": "1", "b": "2"}) == 0


def test_labels_may_be_subclasses_of_str(registry: CollectorRegistry) -> None:
    class Shouting(str):
        def __str__(self) -> str:
            return Shouting(self.upper())

    counter = Counter("c", "h", ["a"], registry=registry)
    assert counter.labels(Shouting("x")) is counter.labels("X")


def test_metrics_can_be_collected_as_garbage() -> None:
    counter = Counter("c", "h", ["a"], registry=None)
    child = counter.labels("x")
    child.__dict__["cycle"] = counter
    gone = weakref.ref(child)
    del counter, child
    gc.collect()
    assert gone() is None


def test_subclasses_make_children_of_themselves(registry: CollectorRegistry) -> None:
    class Doubling(Counter):
        def _child_samples(self) -> list[core.Sample]:
            return [s._replace(value=2 * s.value) for s in super()._child_samples()]

    counter = Doubling("c", "h", ["a"], registry=registry)
    counter.labels("x").inc(3)
    assert type(counter.labels("x")) is Doubling
    assert b'c_total{a="x"} 6.0\n' in generate_latest(registry)


def test_children_that_are_no_children_are_refused() -> None:
    class Odd(Counter):
        def _new_child(self: Any, labelvalues: tuple[str, ...]) -> Any:
            return Counter("other", "h", registry=None)

    class Own(Counter):
        def _new_child(self: Any, labelvalues: tuple[str, ...]) -> Any:
            return self

    for odd in (Odd, Own):
        with pytest.raises(TypeError, match="want a child of this metric"):
            odd("c", "h", ["a"], registry=None).labels("x")


def test_a_histogram_of_another_type_has_no_buckets() -> None:
    class Mistyped(Histogram):
        _type = "counter"

    histogram = Mistyped("c", "h", registry=None)
    for use in (lambda: histogram.observe(1), histogram._read_buckets):
        with pytest.raises(TypeError, match="want a histogram"):
            use()


def test_a_summary_of_another_type_counts_nothing() -> None:
    class Mistyped(Summary):
        _type = "counter"

    class Both(Counter, SummaryCell):
        pass

    for kind in (Mistyped, Both):
        summary: Any = kind("c", "h", registry=None)
        for use in (lambda: summary.observe(1), summary._read_summary):  # noqa: B023
            with pytest.raises(TypeError, match="want a summary"):
                use()


def test_a_child_that_is_removed_while_it_is_made_is_not_kept(registry: CollectorRegistry) -> None:
    def make_and_remove(counter: Counter) -> None:
        counter.labels("x").inc()
        counter.remove("x")

    removals: list[Callable[[Counter], None]] = [Counter.clear, make_and_remove]

    class Interrupted(Counter):
        """What other threads may do to a metric in the middle of labels()."""

        def _new_child(self: Any, labelvalues: tuple[str, ...]) -> Any:
            child = super()._new_child(labelvalues)
            if removals:
                removals.pop()(self)
            return child

    counter = Interrupted("c", "h", ["a"], registry=registry)
    while removals:
        counter.labels("x").inc()  # seen by nobody, as the child was removed
    counter.labels("x").inc(5)
    assert counter.labels("x") is counter.labels("x")
    assert b'c_total{a="x"} 5.0\n' in generate_latest(registry)


def test_set_function_is_asked_by_both_writers(registry: CollectorRegistry) -> None:
    gauge = Gauge("g", "h", ["a"], registry=registry)
    gauge.labels("x").set(1)
    gauge.labels("y").set_function(lambda: 41 + 1)
    gauge.labels("y").set(7)
    assert generate_latest(registry).decode().splitlines()[2:] == ['g{a="x"} 1.0', 'g{a="y"} 42.0']


def test_reset_starts_a_new_life(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([10.0, 20.0])
    monkeypatch.setattr("time.time", lambda: next(times))
    counter = Counter("c", "h", registry=registry)
    counter.inc(5)
    counter.reset()
    assert registry.get_sample_value("c_total") == 0
    assert registry.get_sample_value("c_created") == 20


def test_what_tests_look_at_inside(registry: CollectorRegistry) -> None:
    counter = Counter("c", "h", registry=registry)
    counter.inc(2)
    assert counter._value.get() == 2
    counter._value.set(0)
    assert counter._value.get() == 0
    summary = Summary("s", "h", registry=registry)
    summary.observe(3)
    assert (summary._count.get(), summary._sum.get()) == (1, 3)
    histogram = Histogram("h", "h", buckets=[1, 5], registry=registry)
    histogram.observe(3)
    assert [bucket.get() for bucket in histogram._buckets] == [0, 1, 0]
    assert histogram._sum.get() == 3
    with pytest.raises(AttributeError):
        histogram._sum.set(1)


def test_nan_is_in_the_sum_alone(registry: CollectorRegistry) -> None:
    histogram = Histogram("h", "h", registry=registry)
    histogram.observe(math.nan, {"trace": "x"})
    assert registry.get_sample_value("h_count") == 0
    total = registry.get_sample_value("h_sum")
    assert total is not None and math.isnan(total)


def test_exemplars_are_kept_by_bucket(
    registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 12.5)
    histogram = Histogram("h", "h", buckets=[1], registry=registry)
    histogram.observe(0.5, {"trace": "a"})
    histogram.observe(0.25, exemplar={"trace": "b"})
    histogram.observe(2, {})
    samples = histogram.collect()[0].samples
    assert samples[0].exemplar == core.Exemplar({"trace": "b"}, 0.25, 12.5)
    assert samples[1].exemplar is None


def test_decorated_coroutines_are_awaited(registry: CollectorRegistry) -> None:
    histogram = Histogram("h", "h", registry=registry)
    gauge = Gauge("g", "h", registry=registry)
    counter = Counter("c", "h", registry=registry)
    inside = []

    @histogram.time()
    @gauge.track_inprogress()
    @counter.count_exceptions(KeyError)
    async def work(fail: bool) -> None:
        await asyncio.sleep(0)
        inside.append(registry.get_sample_value("g"))
        if fail:
            raise KeyError

    assert inspect.iscoroutinefunction(work)
    asyncio.run(work(False))
    with pytest.raises(KeyError):
        asyncio.run(work(True))
    assert inside == [1, 1]
    assert registry.get_sample_value("g") == 0
    assert registry.get_sample_value("h_count") == 2
    assert registry.get_sample_value("c_total") == 1


def test_functions_without_a_signature_can_be_decorated(registry: CollectorRegistry) -> None:
    histogram = Histogram("h", "h", registry=registry)
    assert histogram.time()(dict.update)({}, {}) is None
    assert registry.get_sample_value("h_count") == 1


@pytest.mark.parametrize("text", ['"quoted"', "back\\slash", "new\nline", "nul\0", "\U0001f600"])
def test_hostile_text_is_escaped(registry: CollectorRegistry, text: str) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    gauge = Gauge("g", text, ["a"], registry=registry)
    gauge.labels(text).set(1)
    family = next(iter(text_string_to_metric_families(generate_latest(registry).decode())))
    assert family.samples[0].labels == {"a": text}
    if "\\" not in text:
        assert family.documentation == text


def test_text_without_utf8_is_refused_when_it_is_given(registry: CollectorRegistry) -> None:
    refused: list[Callable[[], object]] = [
        lambda: Counter(SURROGATE, "h", registry=registry),
        lambda: Counter("c", SURROGATE, registry=registry),
        lambda: Counter("c", "h", [SURROGATE], registry=registry),
        lambda: Counter("c", "h", ["a"], registry=None).labels(SURROGATE),
        lambda: Counter("c", "h", registry=None).inc(exemplar={"a": SURROGATE}),
        lambda: Info("i", "h", registry=None).info({"a": SURROGATE}),
        lambda: Enum("e", "h", states=[SURROGATE], registry=registry),
        lambda: core.Metric(SURROGATE, "h", "gauge"),
    ]
    for refuse in refused:
        with pytest.raises(ValueError, match="lone surrogates, want valid Unicode"):
            refuse()
    assert generate_latest(registry) == b""


def test_what_could_never_be_written_is_refused() -> None:
    with pytest.raises(ValueError):
        Counter("c", "h", [""], registry=None)
    with pytest.raises(TypeError, match="documentation: got NoneType, want str"):
        Counter("c", None, registry=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="label value: got int, want str"):
        Info("i", "h", registry=None).info({"a": 1})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="sorted"):
        Histogram("h", "h", buckets=[1, math.nan], registry=None)


def test_huge_label_values_are_whole(registry: CollectorRegistry) -> None:
    value = "x" * 1_000_000
    Counter("c", "h", ["a"], registry=registry).labels(value).inc()
    assert f'c_total{{a="{value}"}} 1.0\n'.encode() in generate_latest(registry)


def test_objects_that_were_never_initialised_say_so() -> None:
    counter = Counter.__new__(Counter)
    for use in (counter.inc, lambda: render_cells([counter], False, False), counter._read):
        with pytest.raises(TypeError, match="never initialised"):
            use()
    with pytest.raises(RuntimeError, match="initialised before"):
        made = Counter("c", "h", registry=None)
        made._open("counter", "c", "h", "", (), (), im.Registry())
    with pytest.raises(TypeError, match="got int, want Registry"):
        Counter.__new__(Counter)._open("counter", "c", "h", "", (), (), 1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="want MetricCell"):
        render_cells([1], False, False)  # type: ignore[list-item]
    with pytest.raises(ValueError, match="written by Python"):
        render_cells([Info("i", "h", registry=None)], False, False)
    assert issubclass(CounterCell, MetricCell)


def test_multiprocess_mode_says_that_it_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for use in (lambda: MultiProcessCollector(None), lambda: mark_process_dead(1)):
        with pytest.raises(ConfigError, match="no multiprocess mode yet"):
            use()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/tmp")
    with pytest.raises(ConfigError, match="PROMETHEUS_MULTIPROC_DIR is set"):
        Counter("c", "h", registry=None)


def test_created_series_can_be_switched_off(registry: CollectorRegistry) -> None:
    Counter("c", "h", registry=registry)
    try:
        prometheus.disable_created_metrics()
        assert b"_created" not in generate_latest(registry)
    finally:
        prometheus.enable_created_metrics()
    assert b"c_created" in generate_latest(registry)
