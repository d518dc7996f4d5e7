"""Label values, HELP and names of any characters, in every format, however they come in.

The ways in: a registry's metrics, inferometer.prometheus' (native cells), custom collectors (made
in Python), and the names of engines.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics, parse_text
from inferometer.prometheus import REGISTRY, Gauge, core
from python_collectors import OPENMETRICS, PROTOBUF, fresh_text, registered

Seen = tuple[str, set[str]]  # the help and the label values of a family

TEXTS = [
    'a"b',
    "back\\slash",
    "new\nline",
    "\\n",
    "\\",
    '"',
    "nul\0nul",
    "\r\n\t\x1b\x7f",
    "é€😀👩\u200d🔬",
    "\u202e right to left",
    "\ufeff\u2028\u0085",
    "",
    " x ",
    '},{a="b"} 1 # {"',
    "# EOF\n# HELP",
]


def of_text(body: bytes, name: str, parse: Callable[[bytes], Any] = parse_text) -> Seen:
    (family,) = [family for family in parse(body) if family.name == name]
    return family.documentation, {value for s in family.samples for value in s.labels.values()}


def of_openmetrics(body: bytes, name: str) -> Seen:
    return of_text(body, name, parse_openmetrics)


def of_protobuf(body: bytes, name: str) -> Seen:
    (family,) = [family for family in parse_delimited(body) if family.name == name]
    return family.help, {label.value for metric in family.metric for label in metric.label}


FORMATS: dict[str, Callable[[bytes, str], Seen]] = {
    "text/plain;version=0.0.4": of_text,
    "text/plain;version=1.0.0": of_text,
    OPENMETRICS: of_openmetrics,
    PROTOBUF: of_protobuf,
}


@contextlib.contextmanager
def in_a_registry(help: str, values: list[str]) -> Iterator[im.Registry]:
    registry = im.Registry()
    gauge = registry.gauge("hostile", help, ["a"])
    for value in values:
        gauge.labels(value).set(1)
    yield registry


@contextlib.contextmanager
def in_prometheus(help: str, values: list[str]) -> Iterator[im.Registry]:
    gauge = Gauge("hostile", help, ["a"])
    try:
        for value in values:
            gauge.labels(value).set(1)
        yield im.default_registry()
    finally:
        REGISTRY.unregister(gauge)


@contextlib.contextmanager
def in_a_collector(help: str, values: list[str]) -> Iterator[im.Registry]:
    def families() -> list[core.Metric]:
        family = core.GaugeMetricFamily("hostile", help, labels=["a"])
        for value in values:
            family.add_metric([value], 1)
        return [family]

    with registered(families):
        fresh_text()  # last values are shown from here on, however busy the machine
        yield im.default_registry()


WAYS = [in_a_registry, in_prometheus, in_a_collector]
Way = Callable[[str, list[str]], contextlib.AbstractContextManager[im.Registry]]


def check(way: Way, help: str, values: list[str]) -> None:
    with way(help, values) as registry:
        for accept, read in FORMATS.items():
            body = im.render_metrics(registry, accept)[0]
            assert read(body, "hostile") == (help, set(values)), accept


@pytest.mark.parametrize("way", WAYS)
def test_texts_come_back_as_they_went_in(way: Way) -> None:
    check(way, 'Help "x" \\ \\n \n # TYPE é😀 \0 end', TEXTS)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([in_a_registry, in_prometheus]),
    # prometheus_client's parser strips blanks around a help.
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(lambda text: f"<{text}>"),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), min_size=1),
)
def test_any_text_comes_back(way: Way, help: str, values: list[str]) -> None:
    check(way, help, values)


def test_engines_may_have_any_name() -> None:
    registry = im.Registry()
    engines = [
        im.Engine(lambda x: x, name=f"{text}.", version="1", registry=registry) for text in TEXTS
    ]
    for accept, read in FORMATS.items():
        name = "inference_queue_depth"
        _, values = read(im.render_metrics(registry, accept)[0], name)
        assert values == {f"{text}." for text in TEXTS}
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("way", WAYS)
def test_ten_megabytes_are_shown_whole(way: Way) -> None:
    huge = 'x"\n\\é' * (10_000_000 // 6)
    escaped = huge.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    with way("h", [huge]) as registry:
        for accept in FORMATS:
            body = im.render_metrics(registry, accept)[0]
            # Parsers written in Python would take seconds.
            assert (huge if accept == PROTOBUF else f'"{escaped}"').encode() in body
            assert b"\nhostile" in body or accept == PROTOBUF


LONE = ["\ud800", "a\udfffb", "\udc80"]


@pytest.mark.parametrize("text", LONE)
def test_what_is_no_unicode_is_refused_where_it_is_given(text: str) -> None:
    registry = im.Registry()
    gauge = registry.gauge("g", "h", ["a"])
    dropin = Gauge("g", "h", ["a"], registry=None)
    for use in (
        lambda: gauge.labels(text),
        lambda: gauge.remove(text),
        lambda: registry.gauge("x", text),
        lambda: registry.gauge(text),
        lambda: registry.gauge("x", "h", [text]),
        lambda: im.Engine(lambda x: x, name=text, registry=registry),
        lambda: im.Engine(lambda x: x, name="m", version=text, registry=registry),
        lambda: dropin.labels(text),
        lambda: Gauge("x", text, registry=None),
        lambda: Gauge(text, "h", registry=None),
        lambda: Gauge("x", "h", [text], registry=None),
    ):
        with pytest.raises(ValueError):
            use()
    for accept in FORMATS:
        body = im.render_metrics(registry, accept)[0]
        assert b"\ng{" not in body and b"\nx" not in body


@pytest.mark.parametrize("text", LONE)
def test_a_collector_that_has_no_unicode_loses_its_family_only(text: str) -> None:
    def families() -> list[core.Metric]:
        labelled = core.GaugeMetricFamily("hostile_label", "h", labels=["a"])
        labelled.add_metric([text], 1)
        return [
            core.GaugeMetricFamily("hostile_help", text, value=1),
            labelled,
            core.GaugeMetricFamily("hostile_neighbour", "h", value=1),
        ]

    with registered(families):
        fresh_text()
        for accept in FORMATS:
            body = im.render_metrics(accept=accept)[0]
            assert b"hostile_neighbour" in body
            assert b"hostile_help" not in body and b"hostile_label" not in body


@pytest.mark.parametrize("name", ["", "1a", "a b", "a\nb", "é", "a\0", 'a"b', "a-b", "a.b", "{}"])
def test_names_are_refused(name: str) -> None:
    registry = im.Registry()
    with pytest.raises(im.ConfigError, match="got metric name"):
        registry.gauge(name)
    with pytest.raises(im.ConfigError, match="got label name"):
        registry.gauge("g", "h", [name])
    assert b"# TYPE g " not in im.render_metrics(registry)[0]
