"""REGISTRY and im.default_registry(), prometheus_client's registries, and who imports what."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import numpy as np
import prometheus_client
import prometheus_client.core
import prometheus_client.openmetrics.exposition
import prometheus_client.openmetrics.parser
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

import inferometer as im
from inferometer import prometheus
from inferometer.prometheus import (
    PROCESS_COLLECTOR,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    core,
    generate_latest,
)
from inferometer.prometheus.native_families import families_of
from inferometer.prometheus.openmetrics import exposition as openmetrics

# prometheus_client does not say their types.
parse_openmetrics: Any = prometheus_client.openmetrics.parser.text_string_to_metric_families
openmetrics_of_theirs: Any = prometheus_client.openmetrics.exposition.generate_latest


@pytest.fixture
def engine() -> Iterator[im.Engine]:
    with im.Engine(lambda x: x, name='odd "name"\n\\ } 1') as engine:
        engine.infer(np.ones((1, 2), np.float32))
        yield engine


def test_inferometer_never_imports_prometheus_client() -> None:
    code = """
import sys
import inferometer as im
import inferometer.prometheus
import inferometer.prometheus.core, inferometer.prometheus.multiprocess
inferometer.prometheus.generate_latest()
im.default_registry().collect()
print([name for name in sys.modules if name.split(".")[0] == "prometheus_client"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_everything_that_prometheus_client_exports_is_there() -> None:
    assert set(prometheus_client.__all__) <= set(prometheus.__all__)
    assert set(prometheus_client.core.__all__) <= set(core.__all__)


def test_the_default_registry_shows_engines(engine: im.Engine) -> None:
    text = generate_latest(REGISTRY).decode()
    labels = {"model_name": engine.name, "status": "success"}
    assert REGISTRY.get_sample_value("inference_requests_total", labels) == 1
    found = {s.name: s for f in parse_text(text) for s in f.samples if s.labels == labels}
    assert found["inference_requests_total"].value == 1
    assert "python_info{" in text and "process_open_fds " in text


def test_openmetrics_of_the_default_registry_is_valid(engine: im.Engine) -> None:
    names = {family.name for family in parse_openmetrics(openmetrics.generate_latest().decode())}
    assert {"inference_requests", "inference_latency_seconds", "python_info"} <= names


def test_native_families_are_read_exactly(engine: im.Engine) -> None:
    registry = im.Registry()
    registry.gauge("g", 'help "x" \\ \n', ["a", "b"]).labels('}" 1,b="', "\\n\n").set(-1e300)
    registry.counter("empty", "", ["a"])
    histogram = registry.histogram("h", "", buckets=[1.0])
    histogram.observe(float("inf"))
    families = {family.name: family for family in registry.collect()}
    assert families["g"].documentation == 'help "x" \\ \n'
    assert families["g"].samples == [("g", {"a": '}" 1,b="', "b": "\\n\n"}, -1e300, *[None] * 3)]
    assert [(s.name, s.labels.get("le"), s.value) for s in families["h"].samples] == [
        ("h_bucket", "1.0", 0),
        ("h_bucket", "+Inf", 1),
        ("h_sum", None, float("inf")),
        ("h_count", None, 1),
    ]


def test_triton_counters_are_of_unknown_type() -> None:
    class Stub:
        def render(self, own_only: bool = False) -> tuple[bytes, str, str]:
            text = b'# HELP nv_x X\n# TYPE nv_x counter\nnv_x{model="m"} 3 1500\n'
            return text, "text/plain", ""

    family = families_of(Stub())[0]  # type: ignore[arg-type]
    assert (family.name, family.type) == ("nv_x", "unknown")
    assert family.samples == [("nv_x", {"model": "m"}, 3, 1.5, None, None)]


def test_prometheus_client_takes_a_native_registry(engine: im.Engine) -> None:
    theirs = prometheus_client.CollectorRegistry(auto_describe=True)
    theirs.register(im.default_registry())
    text = prometheus_client.generate_latest(theirs).decode()
    assert {family.name for family in parse_text(text)} >= {"inference_requests"}
    strict = openmetrics_of_theirs(theirs).decode()
    assert list(parse_openmetrics(strict))


def test_prometheus_client_takes_our_metrics() -> None:
    theirs = prometheus_client.CollectorRegistry()
    counter = Counter("c", "h", ["a"], registry=theirs)  # type: ignore[arg-type]
    counter.labels("x").inc(exemplar={"t": "1"})
    assert theirs.get_sample_value("c_total", {"a": "x"}) == 1
    restricted = theirs.restricted_registry(["c_total"])
    assert b"c_created" not in prometheus_client.generate_latest(restricted)
    with pytest.raises(prometheus_client.core.DuplicateTimeseries):
        Gauge("c_total", "h", registry=theirs)  # type: ignore[arg-type]


def test_their_registries_are_merged_into_ours() -> None:
    theirs = prometheus_client.CollectorRegistry()
    prometheus_client.Counter("theirs", "h", registry=theirs).inc(2)
    ours = CollectorRegistry(auto_describe=True)
    Counter("before", "h", registry=ours)
    ours.register(theirs)  # type: ignore[arg-type]
    Counter("after", "h", registry=ours)
    lines = generate_latest(ours).decode().splitlines()
    order = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert order == [
        "before_total",
        "before_created",
        "theirs_total",
        "theirs_created",
        "after_total",
        "after_created",
    ]
    with pytest.raises(core.DuplicateTimeseries):
        Counter("theirs", "h", registry=ours)


def test_names_of_native_families_are_taken(engine: im.Engine) -> None:
    with pytest.raises(core.DuplicateTimeseries, match="inference_requests_total"):
        Counter("inference_requests_total", "h")


def test_a_native_family_that_comes_later_is_refused() -> None:
    gauge = Gauge("late_family", "h")
    try:
        gauge.set(1)
        with pytest.raises(im.ConfigError, match='collide with the gauge "late_family"'):
            im.default_registry().gauge("late_family", "native")
        im.default_registry().counter("late_neighbour", "native").inc()
        for text in (generate_latest(), openmetrics.generate_latest()):
            assert text.count(b"# TYPE late_family ") == 1
            assert b"\nlate_family 1.0\n" in text
            assert b"\nlate_neighbour_total 1" in text
    finally:
        REGISTRY.unregister(gauge)


def test_restricted_default_registry_has_native_samples(engine: im.Engine) -> None:
    restricted = REGISTRY.restricted_registry(["inference_requests_total", "python_info"])
    names = {s.name for family in restricted.collect() for s in family.samples}
    assert names == {"inference_requests_total", "python_info"}


def test_a_family_that_cannot_be_written_is_named() -> None:
    registry = CollectorRegistry()

    class Broken:
        def collect(self) -> list[core.Metric]:
            return [core.GaugeMetricFamily("broken", "h", value="x")]  # type: ignore[arg-type]

    registry.register(Broken())
    with pytest.raises(ValueError) as error:
        generate_latest(registry)
    assert error.value.args[-1].name == "broken"


def test_registries_with_collect_of_their_own_are_asked() -> None:
    class Prefixed(CollectorRegistry):
        def collect(self) -> Iterator[core.Metric]:
            for family in super().collect():
                family.documentation = "prefixed " + family.documentation
                yield family

    registry = Prefixed()
    Counter("c", "h", registry=registry)
    assert b"# HELP c_total prefixed h\n" in generate_latest(registry)


def test_the_native_process_families_stand_for_the_process_collector() -> None:
    def shown() -> set[str]:
        text = generate_latest().decode()
        names = {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE")}
        assert text.count("# TYPE process_open_fds ") == int("process_open_fds" in names)
        return {name for name in names if name.startswith("process_")}

    everything = shown()
    assert "process_cpu_seconds_total" in everything
    with pytest.raises(ValueError, match="Duplicated"):
        ProcessCollector()
    REGISTRY.unregister(PROCESS_COLLECTOR)  # what programs do that want none
    try:
        assert shown() == set()
        with pytest.raises(KeyError):
            REGISTRY.unregister(PROCESS_COLLECTOR)
    finally:
        REGISTRY.register(PROCESS_COLLECTOR)
    assert shown() == everything


class Lazy:
    """Makes a metric of its own, and shows its registry, when it is asked for its families."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.made: list[Counter] = []

    def collect(self) -> Iterator[core.Metric]:
        if not self.made:
            self.made.append(Counter("lazy_jobs", "Jobs.", registry=self.registry))
            generate_latest(self.registry)
        yield core.GaugeMetricFamily("lazy", "L.", 1)


@pytest.mark.parametrize("registry", [REGISTRY, CollectorRegistry(auto_describe=True)])
def test_a_collector_may_use_the_registry_that_asks_it_for_its_names(
    registry: CollectorRegistry,
) -> None:
    collector = Lazy(registry)
    register = threading.Thread(target=registry.register, args=(collector,), daemon=True)
    register.start()
    register.join(60)
    assert not register.is_alive()
    assert b"\nlazy 1.0\n" in generate_latest(registry)
    registry.unregister(collector)
    registry.unregister(collector.made[0])


def test_collectors_with_odd_attributes_are_shown_natively() -> None:
    class Failing:
        fails = False

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(name) if self.fails else AttributeError(name)

        def collect(self) -> list[core.Metric]:
            return [core.GaugeMetricFamily("failing", "F.", 1)]

    mock = Mock()
    mock.describe.return_value = []
    mock.collect.return_value = [core.GaugeMetricFamily("mocked", "M.", 1)]
    failing = Failing()
    REGISTRY.register(mock)
    REGISTRY.register(failing)
    failing.fails = True
    try:
        text, _ = im.render_metrics()
        assert b"\nmocked 1.0\n" in text
        assert b"\nfailing 1.0\n" in text
    finally:
        failing.fails = False
        REGISTRY.unregister(mock)
        REGISTRY.unregister(failing)


def test_a_name_of_a_native_sample_is_taken() -> None:
    im.default_registry().histogram("taken_seconds", "S.").observe(1)
    im.default_registry().counter("taken_jobs", "J.").inc()
    made: list[Callable[[str], Any]] = [
        lambda name: Gauge(name, "G."),
        lambda name: prometheus.Enum(name, "E.", states=["on"]),
    ]
    before = REGISTRY.collectors()
    for make in made:
        for name in ("taken_seconds_sum", "taken_jobs", "taken_jobs_created"):
            with pytest.raises(core.DuplicateTimeseries, match=name):
                make(name)
    # A name that no family has at present, but that is kept for one.
    for _ in range(2):
        with pytest.raises(core.DuplicateTimeseries, match="inferometer_telemetry_seconds_total"):
            Counter("inferometer_telemetry_seconds", "S.")
    assert REGISTRY.collectors() == before
    assert generate_latest().count(b"\ntaken_seconds_sum ") == 1


def test_a_native_family_that_comes_later_has_no_sample_of_a_name_here() -> None:
    state = prometheus.Enum("later_seconds_sum", "E.", states=["on"])
    im.default_registry().histogram("later_seconds", "S.").observe(1)
    try:
        for text in (generate_latest(), openmetrics.generate_latest(REGISTRY)):
            assert b"\nlater_seconds_sum{" in text
            assert b"\nlater_seconds_sum " not in text
    finally:
        REGISTRY.unregister(state)
