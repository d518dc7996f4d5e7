"""Random use of inferometer.prometheus against prometheus_client itself: the same text, always."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import prometheus_client
import prometheus_client.openmetrics.exposition
import prometheus_client.utils
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inferometer import prometheus
from inferometer.prometheus.number_text import float_text
from inferometer.prometheus.openmetrics import exposition as openmetrics

# prometheus_client does not say their types.
their_float_text: Any = prometheus_client.utils.floatToGoString

# Valid Unicode without surrogates; control characters, quotes and newlines included.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.floats() | st.integers(-(2**60), 2**60) | st.booleans()
AMOUNTS = st.floats(min_value=0) | st.integers(0, 2**60)
LEGACY_NAMES = st.sampled_from(["a", "le_", "z", "A", "_x"])
NAMES = LEGACY_NAMES | st.sampled_from(["with.dot", "ümlaut", 'quote"', "new\nline"])
EXEMPLARS = st.none() | st.dictionaries(st.sampled_from(["t", "trace_id"]), TEXT, max_size=2)


class Call(NamedTuple):
    """One call of a method on the child of some label values."""

    values: tuple[Any, ...]
    method: str
    arguments: tuple[Any, ...]


class Family(NamedTuple):
    """A metric and what is done to it."""

    kind: str
    name: str
    help: str
    names: tuple[str, ...]
    calls: tuple[Call, ...]
    unit: str


@st.composite
def families(draw: st.DrawFn, native: bool = False) -> Family:
    """`native`: only what native code shows by itself."""
    kinds = ["Counter", "Gauge", "Summary", "Histogram"] + ["Info", "Enum"] * (not native)
    kind = draw(st.sampled_from(kinds))
    label = LEGACY_NAMES if native else NAMES
    names = tuple(draw(st.lists(label, max_size=3, unique=True)))
    name = draw(st.sampled_from(["m", "m_total"] + ["dotted.name", "日本"] * (not native)))
    values = st.tuples(*[TEXT | st.integers() | st.none() for _ in names])
    method: st.SearchStrategy[tuple[str, tuple[Any, ...]]] = {
        "Counter": st.tuples(st.just("inc"), st.tuples(AMOUNTS, EXEMPLARS)),
        "Gauge": st.tuples(st.sampled_from(["inc", "dec", "set"]), st.tuples(NUMBERS)),
        "Summary": st.tuples(st.just("observe"), st.tuples(NUMBERS)),
        "Histogram": st.tuples(st.just("observe"), st.tuples(NUMBERS, EXEMPLARS)),
        "Info": st.tuples(
            st.just("info"),
            st.tuples(st.dictionaries(st.sampled_from(["i", "j.k"]), TEXT, max_size=2)),
        ),
        "Enum": st.tuples(st.just("state"), st.tuples(st.sampled_from(["on", "off"]))),
    }[kind]
    if names:
        method |= st.sampled_from([("remove", ()), ("clear", ())])
    few = st.sampled_from([draw(values) for _ in range(3)])  # so that calls meet
    calls = tuple(Call(draw(few), *draw(method)) for _ in range(draw(st.integers(0, 8))))
    unit = draw(st.sampled_from(["", "seconds"])) if kind not in ("Info", "Enum") else ""
    return Family(kind, name, draw(TEXT), names, calls, unit)


def play(library: Any, family: Family, buckets: list[float], registry: Any = None) -> Any:
    """A registry of `library` with the metric after all calls."""
    if registry is None:
        registry = library.CollectorRegistry()
    options: dict[str, Any] = {"registry": registry, "unit": family.unit}
    if family.kind == "Enum":
        options["states"] = ["on", "off"]
    if family.kind == "Histogram":
        options["buckets"] = buckets
    metric = getattr(library, family.kind)(family.name, family.help, family.names, **options)
    for call in family.calls:
        if call.method == "remove":
            metric.remove(*call.values)
            continue
        if call.method == "clear":
            metric.clear()
            continue
        child = metric.labels(*call.values) if family.names else metric
        getattr(child, call.method)(*call.arguments)
    return registry


BUCKETS = st.lists(
    st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5, unique=True
).map(sorted)
SCHEMES = st.sampled_from(["underscores", "allow-utf-8", "dots", "values"])


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1700000000.125)


@settings(max_examples=50)
@given(families(), BUCKETS, SCHEMES)
def test_the_text_is_the_same(family: Family, buckets: list[float], escaping: str) -> None:
    ours = play(prometheus, family, buckets)
    theirs = play(prometheus_client, family, buckets)
    assert prometheus.generate_latest(ours, escaping) == prometheus_client.generate_latest(
        theirs, escaping
    )


@settings(max_examples=50)
@given(families(), BUCKETS, st.sampled_from(["underscores", "allow-utf-8"]))
def test_openmetrics_is_the_same(family: Family, buckets: list[float], escaping: str) -> None:
    ours = play(prometheus, family, buckets)
    theirs = play(prometheus_client, family, buckets)
    reference: Callable[..., bytes] = prometheus_client.openmetrics.exposition.generate_latest
    assert openmetrics.generate_latest(ours, escaping) == reference(theirs, escaping)


@settings(max_examples=50)
@given(families(), BUCKETS)
def test_the_native_writer_writes_what_pythons_does(family: Family, buckets: list[float]) -> None:
    registry = play(prometheus, family, buckets)

    class Foreign:
        collect = staticmethod(registry.collect)

    for generate in (prometheus.generate_latest, openmetrics.generate_latest):
        assert generate(registry) == generate(Foreign())


@settings(max_examples=50)
@given(families(), BUCKETS)
def test_samples_come_in_the_same_order(family: Family, buckets: list[float]) -> None:
    def samples(library: Any) -> list[tuple[Any, ...]]:
        registry = play(library, family, buckets)
        return [
            (sample.name, sample.labels, float_text(sample.value), bool(sample.exemplar))
            for collected in registry.collect()
            for sample in collected.samples
        ]

    assert samples(prometheus) == samples(prometheus_client)


@given(st.floats() | st.integers())
@example(5e-324)
@example(-0.0)
@example(1e6)
@example(999999.9999999999)
@example(1e16)
@example(123456789.125)
def test_numbers_are_written_the_same(number: float) -> None:
    if isinstance(number, int) and not math.isfinite(_to_float(number)):
        return
    assert float_text(number) == their_float_text(number)
    registry = prometheus.CollectorRegistry()
    prometheus.Gauge("g", "", registry=registry).set(number)
    line = prometheus.generate_latest(registry).decode().splitlines()[-1]
    assert line == f"g {their_float_text(number)}"


def _to_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


WRONG_USE: list[Callable[[Any], object]] = [
    lambda p: p.Counter("", "h", registry=None),
    lambda p: p.Counter("c", "h", ["__x"], registry=None),
    lambda p: p.Summary("s", "h", ["quantile"], registry=None),
    lambda p: p.Histogram("h", "h", ["le"], registry=None),
    lambda p: p.Histogram("h", "h", buckets=[], registry=None),
    lambda p: p.Histogram("h", "h", buckets=[float("inf")], registry=None),
    lambda p: p.Histogram("h", "h", buckets=[2, 1], registry=None),
    lambda p: p.Histogram("h", "h", buckets=["x"], registry=None),
    lambda p: p.Info("i", "h", unit="s", registry=None),
    lambda p: p.Enum("e", "h", registry=None),
    lambda p: p.Enum("e", "h", ["e"], states=["a"], registry=None),
    lambda p: p.Enum("e", "h", states=["a"], registry=None).state("b"),
    lambda p: p.Gauge("g", "h", multiprocess_mode="some", registry=None),
    lambda p: p.Gauge("g", "h", multiprocess_mode="mostrecent", registry=None).inc(),
    lambda p: p.Gauge("g", "h", multiprocess_mode="livemostrecent", registry=None).dec(1),
    lambda p: p.Counter("c", "h", registry=None).inc(-1),
    lambda p: p.Counter("c", "h", registry=None).inc("1"),
    lambda p: p.Counter("c", "h", registry=None).inc(None),
    lambda p: p.Counter("c", "h", registry=None).inc(10**400),
    lambda p: p.Counter("c", "h", registry=None).inc(1, None, 1),
    lambda p: p.Counter("c", "h", registry=None).inc(amounts=1),
    lambda p: p.Counter("c", "h", registry=None).inc(1, amount=1),
    lambda p: p.Counter("c", "h", registry=None).inc(exemplar={"a": "b" * 128}),
    lambda p: p.Counter("c", "h", registry=None).inc(exemplar={"__a": "b"}),
    lambda p: p.Counter("c", "h", registry=None).labels("x"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).inc(),
    lambda p: p.Counter("c", "h", ["a"], registry=None).labels(),
    lambda p: p.Counter("c", "h", ["a"], registry=None).labels("x", "y"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).labels("x", a="y"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).labels(b="y"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).labels(a="y", b="z"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).labels("x").labels("y"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).remove("x", "y"),
    lambda p: p.Counter("c", "h", registry=None).remove("x"),
    lambda p: p.Counter("c", "h", ["a"], registry=None).remove_by_labels({"b": "x"}),
    lambda p: p.Counter("c", "h", ["a"], registry=None).remove_by_labels(["a"]),
    lambda p: p.Counter("c", "h", ["a"], registry=None).count_exceptions(),
    lambda p: p.Gauge("g", "h", registry=None).set(),
    lambda p: p.Gauge("g", "h", registry=None).set("x"),
    lambda p: p.Gauge("g", "h", ["a"], registry=None).set_function(float),
    lambda p: p.Histogram("h", "h", registry=None).observe(),
    lambda p: p.Histogram("h", "h", registry=None).observe("x"),
    lambda p: p.Info("i", "h", ["a"], registry=None).labels("x").info({"a": "y"}),
    lambda p: p.Info("i", "h", registry=None).info({"a": None}),
    lambda p: p.Metric("m", "h", "sort"),
    lambda p: p.CollectorRegistry().unregister(object()),
]


@pytest.mark.parametrize("use", WRONG_USE)
def test_wrong_use_raises_the_same(use: Callable[[Any], object]) -> None:
    with pytest.raises(Exception) as expected:
        use(prometheus_client)
    with pytest.raises(expected.type):
        use(prometheus)
