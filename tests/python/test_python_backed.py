"""Collectors that only Python can read, in the native exposition."""

from __future__ import annotations

import asyncio
import logging
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.applications import Starlette

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics
from inferometer.asgi import metrics_routes
from inferometer.prometheus import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Info,
    Metric,
    core,
    generate_latest,
)
from inferometer.prometheus.openmetrics import exposition as openmetrics
from inferometer.prometheus.python_backed import PythonBacked, is_python_backed
from python_collectors import (
    OPENMETRICS,
    PROTOBUF,
    STALE,
    fresh_text,
    gauge,
    is_fresh,
    number_after,
    registered,
    samples_of,
    text,
)


@pytest.fixture
def everything() -> Iterator[None]:
    """One collector of each kind that native code cannot read by itself."""
    merged = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("pb_theirs", "h", registry=merged).inc(2)

    class Doubled(Counter):
        def collect(self) -> list[Metric]:
            families = super().collect()
            for family in families:
                family.samples = [s._replace(value=s.value * 2) for s in family.samples]
            return families

    metrics: list[Any] = [
        Info("pb_build", "h"),
        Enum("pb_state", "h", states=["on", "off"]),
        Gauge("pb_function", "h", ["a"]),
        Gauge("pb.dotted", "h"),
        Doubled("pb_doubled", "h"),
    ]
    metrics[0].info({"version": "1"})
    metrics[2].labels("x").set_function(lambda: 3)
    metrics[3].set(4)
    metrics[4].inc(5)
    REGISTRY.register(merged)  # type: ignore[arg-type]
    yield
    for collector in (merged, *metrics):
        REGISTRY.unregister(collector)


EXPECTED = {
    ("pb_build_info", (("version", "1"),)): 1.0,
    ("pb_state", (("pb_state", "on"),)): 1.0,
    ("pb_state", (("pb_state", "off"),)): 0.0,
    ("pb_function", (("a", "x"),)): 3.0,
    ("pb_dotted", ()): 4.0,
    ("pb_doubled_total", ()): 10.0,
    ("pb_theirs_total", ()): 2.0,
}


def ours(families: Iterable[Any]) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The samples of the fixture by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("pb_")
    }


@pytest.mark.usefixtures("everything")
def test_every_kind_is_shown_in_every_format() -> None:
    assert ours(parse_text(fresh_text())) == EXPECTED
    # From here on its last values have everything: nothing below depends on time.
    assert ours(parse_openmetrics(im.render_metrics(accept=OPENMETRICS)[0])) == EXPECTED
    families = {f.name: f for f in parse_delimited(im.render_metrics(accept=PROTOBUF)[0])}
    assert families["pb_theirs_total"].metric[0].counter.value == 2
    assert families["pb_function"].metric[0].gauge.value == 3
    assert families["pb_function"].metric[0].label[0].value == "x"
    assert families["python_info"].metric[0].gauge.value == 1


@pytest.mark.usefixtures("everything")
def test_the_listener_and_the_asgi_app_show_them() -> None:
    fresh_text()
    with im.serve_metrics(0) as listener, urllib.request.urlopen(listener.url, timeout=30) as reply:
        assert ours(parse_text(reply.read().decode())) == EXPECTED

    async def from_asgi() -> str:
        transport = httpx.ASGITransport(app=Starlette(routes=metrics_routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return (await client.get("/metrics")).text

    assert ours(parse_text(asyncio.run(from_asgi()))) == EXPECTED


@pytest.mark.usefixtures("everything")
def test_nothing_comes_twice() -> None:
    fresh_text()
    for body in (generate_latest().decode(), openmetrics.generate_latest().decode()):
        types = [line.split()[2] for line in body.splitlines() if line.startswith("# TYPE")]
        assert len(types) == len(set(types))
        assert {"python_info", "pb_state"} <= set(types)
        assert f"\n{STALE} 0" in body
    families = [family.name for family in REGISTRY.collect()]
    assert len(families) == len(set(families))


def test_prometheus_clients_own_registry_can_be_merged() -> None:
    theirs: Any = prometheus_client.REGISTRY
    with pytest.raises(core.DuplicateTimeseries, match="python_info"):
        REGISTRY.register(theirs)
    ours_too = (
        prometheus_client.PLATFORM_COLLECTOR,
        prometheus_client.GC_COLLECTOR,
        prometheus_client.PROCESS_COLLECTOR,
    )
    for collector in ours_too:
        theirs.unregister(collector)
    REGISTRY.register(theirs)
    counter = prometheus_client.Counter("pb_in_their_default", "h")
    try:
        counter.inc(7)
        assert "\npb_in_their_default_total 7.0\n" in fresh_text()
    finally:
        REGISTRY.unregister(theirs)
        theirs.unregister(counter)
        for collector in ours_too:
            theirs.register(collector)


def test_a_native_registry_elsewhere_shows_them_too() -> None:
    theirs = prometheus_client.CollectorRegistry()
    with registered(lambda: [gauge("pb_there", 1)]):
        fresh_text()
        theirs.register(im.default_registry())
        assert "\npb_there 1.0\n" in prometheus_client.generate_latest(theirs).decode()


def test_names_may_be_used_again_after_unregistering() -> None:
    for value in (1, 2):
        metric = Info("pb_again", "h")
        metric.info({"value": str(value)})
        assert samples_of(fresh_text(), "pb_again") == [f'pb_again_info{{value="{value}"}} 1.0']
        with pytest.raises(core.DuplicateTimeseries):
            Info("pb_again", "h")
        REGISTRY.unregister(metric)
        assert samples_of(fresh_text(), "pb_again") == []


def test_values_are_never_older_than_the_scrape() -> None:
    asked = 0

    def counting() -> Iterator[core.Metric]:
        nonlocal asked
        asked += 1
        yield gauge("pb_asked", asked)

    with registered(counting):
        for _ in range(20):
            before = asked
            body = text()
            assert not is_fresh(body) or number_after(body, "pb_asked") > before


def test_only_what_native_code_cannot_read_is_python_backed() -> None:
    registry = CollectorRegistry()
    plain = Gauge("pb_plain", "h", registry=registry)
    assert not is_python_backed(plain)
    plain.set_function(lambda: 1)
    assert is_python_backed(plain)
    assert is_python_backed(Gauge("pb.dots", "h", registry=registry))
    assert is_python_backed(prometheus_client.CollectorRegistry())


def test_a_metric_that_gets_a_function_later_is_shown() -> None:
    metric = Gauge("pb_later", "h", ["a"])
    try:
        child = metric.labels("x")
        child.set_function(lambda: 8)
        assert samples_of(fresh_text(), "pb_later") == ['pb_later{a="x"} 8.0']
    finally:
        REGISTRY.unregister(metric)


def test_one_that_is_added_while_another_goes_is_not_lost() -> None:
    def collectors() -> list[Any]:
        backed.added()  # too late to be in this answer
        return []

    backed = PythonBacked(collectors, im.Registry())
    backed.removed()
    assert backed._families.shown
    backed.close()
    backed.added()
    assert not backed._families.shown


def test_target_info_is_shown() -> None:
    REGISTRY.set_target_info({"env": "test"})
    try:
        assert samples_of(fresh_text(), "target_info") == ['target_info{env="test"} 1.0']
    finally:
        REGISTRY.set_target_info(None)
    assert samples_of(fresh_text(), "target_info") == []


# --- collectors that misbehave --------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("boom"), SystemExit(1)])
def test_a_collector_that_raises_is_left_out_counted_and_logged_once(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def raising() -> Iterator[core.Metric]:
        yield gauge("pb_before_the_error", 1)
        raise error

    with registered(raising), registered(lambda: [gauge("pb_good", 1)]):
        with caplog.at_level(logging.ERROR, "inferometer"):
            bodies = [fresh_text() for _ in range(3)]
        for body in bodies:
            assert "\npb_good 1.0\n" in body
            assert "pb_before_the_error" not in body
        errors = [number_after(body, "inferometer_collector_errors_total") for body in bodies]
        assert errors[0] < errors[1] < errors[2]
    (record,) = caplog.records
    assert "a collector of type Custom failed" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    after = number_after(fresh_text(), "inferometer_collector_errors_total")
    assert after == number_after(fresh_text(), "inferometer_collector_errors_total")


def test_a_function_that_raises_or_hangs_costs_its_own_gauge() -> None:
    """Once it raises, then it hangs: a neighbour with a function and native metrics are served."""
    may_answer = threading.Event()
    bad, good = Gauge("pb_bad_function", "h"), Gauge("pb_good_function", "h")
    native = im.default_registry().gauge("pb_beside_functions", "h")
    good.set_function(lambda: 7)
    try:
        bad.set_function(lambda: 1 / 0)
        before = number_after(fresh_text(), "inferometer_collector_errors_total")
        body = fresh_text()
        assert "pb_bad_function" not in body
        assert "\npb_good_function 7.0\n" in body
        assert number_after(body, "inferometer_collector_errors_total") > before
        bad.set_function(lambda: float(may_answer.wait(60)))
        for count in range(2):
            native.set(count)
            body = text()
            assert f"\n{STALE} 1\n" in body
            assert "\npb_good_function 7.0\n" in body  # its last value
            assert f"\npb_beside_functions {count}.0\n" in body
        may_answer.set()
        assert "\npb_bad_function 1.0\n" in fresh_text()
    finally:
        may_answer.set()
        REGISTRY.unregister(bad)
        REGISTRY.unregister(good)


def test_a_collector_that_hangs_leaves_last_values_and_says_so() -> None:
    may_answer = threading.Event()
    may_answer.set()
    value = 1

    def slow() -> list[core.Metric]:
        may_answer.wait(60)
        return [gauge("pb_slow", value)]

    native = im.default_registry().gauge("pb_native", "")
    with registered(slow):
        assert "\npb_slow 1.0\n" in fresh_text()
        may_answer.clear()
        value = 2
        for count in range(3):
            native.set(count)
            body = text()
            assert f"\n{STALE} 1\n" in body
            assert "\npb_slow 1.0\n" in body  # the last value
            assert f"\npb_native {count}.0\n" in body
        may_answer.set()
        assert "\npb_slow 2.0\n" in fresh_text()


def test_a_collector_that_hangs_at_its_first_call_does_not_keep_the_rest_away() -> None:
    may_answer = threading.Event()

    def hanging() -> list[core.Metric]:
        may_answer.wait(60)
        return []

    with registered(hanging):
        body = text()
        assert f"\n{STALE} 1\n" in body
        assert "\ninferometer_build_info{" in body
        REGISTRY.unregister(again := Info("pb_meanwhile", "h"))  # nothing waits for it
        assert again
        may_answer.set()


def test_a_collector_may_render_what_it_is_part_of() -> None:
    inside = threading.local()
    seen: list[str] = []

    def curious() -> list[core.Metric]:
        if not getattr(inside, "rendering", False):
            inside.rendering = True
            try:
                seen.append(text())
                generate_latest(REGISTRY)
            finally:
                inside.rendering = False
        return [gauge("pb_curious", 1)]

    with registered(curious):
        assert "\npb_curious 1.0\n" in fresh_text()
    assert "\ninferometer_build_info{" in seen[0]
