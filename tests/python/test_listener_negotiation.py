"""Formats as a scraper asks the native listener for them, and Accept headers of nonsense."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics, parse_text
from python_collectors import PROTOBUF
from test_listener import exchange, shared_listener

TEXT_004 = "text/plain; version=0.0.4; charset=utf-8"
TEXT_100 = "text/plain; version=1.0.0; charset=utf-8; escaping="
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping="
DELIMITED = (
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; "
    "escaping="
)
PARSERS: dict[str, Callable[[bytes], list[Any]]] = {
    "text/plain": parse_text,
    "application/openmetrics-text": parse_openmetrics,
    "application/vnd.google.protobuf": parse_delimited,
}


@pytest.fixture(scope="module")
def registry() -> im.Registry:
    registry = im.Registry()
    wait = registry.histogram("wait_seconds", "Wait.", ["queue"])
    for i in range(20):
        wait.labels(i).observe(i, {"trace_id": str(i)})
    registry.counter("hits", "Hits.").inc()
    return registry


@pytest.fixture(scope="module")
def listener(registry: im.Registry) -> Iterator[im.MetricsListener]:
    with im.serve_metrics(0, registry=registry) as listener:
        yield listener


def ask(listener: im.MetricsListener, **fields: str) -> tuple[dict[str, str], bytes]:
    """Header fields and body of an answer, which is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=30)
    try:
        connection.request(
            "GET", "/metrics", headers={k.replace("_", "-"): v for k, v in fields.items()}
        )
        reply = connection.getresponse()
        assert reply.status == 200
        return {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", TEXT_004),
        ("application/json", TEXT_004),
        ("text/plain;version=1.0.0", TEXT_100 + "underscores"),
        ("text/plain;version=1.0.0;escaping=dots", TEXT_100 + "dots"),
        ("application/openmetrics-text;version=1.0.0", OPENMETRICS + "underscores"),
        (
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8",
            OPENMETRICS + "allow-utf-8",
        ),
        (PROTOBUF, DELIMITED + "underscores"),
        (PROTOBUF + ";escaping=values", DELIMITED + "values"),
        (f"{PROTOBUF};q=0.1,text/plain;version=0.0.4;q=0.2", TEXT_004),
        (f"{PROTOBUF};q=0.2,text/plain;version=0.0.4;q=0.1", DELIMITED + "underscores"),
    ],
)
def test_content_types_and_gzip(
    listener: im.MetricsListener, registry: im.Registry, accept: str, content_type: str
) -> None:
    fields, body = ask(listener, Accept=accept)
    assert fields["content-type"] == content_type
    assert "content-encoding" not in fields
    assert im.render_metrics(registry, accept)[1] == content_type
    families = PARSERS[content_type.partition(";")[0]](body)
    assert "wait_seconds" in [family.name for family in families]
    assert body.count(b"# EOF\n") == content_type.startswith("application/openmetrics-text")
    assert (b" # {" in body) == content_type.startswith("application/openmetrics-text")

    fields, packed = ask(listener, Accept=accept, Accept_Encoding="br, gzip;q=0.5")
    assert fields["content-type"] == content_type
    assert fields["content-encoding"] == "gzip"
    assert int(fields["content-length"]) == len(packed) < len(body)
    assert gzip.decompress(packed) == body
    fields, _ = ask(listener, Accept=accept, Accept_Encoding="gzip;q=0, *")
    assert "content-encoding" not in fields


@pytest.mark.parametrize("created", [False, True])
def test_times_of_making_are_series_only_where_they_are_asked_for(created: bool) -> None:
    registry = im.Registry(created_series=created)
    registry.counter("hits", "h", ["a"]).labels("x").inc()
    registry.histogram("wait", "h").observe(1)
    with im.Engine(lambda x: x, name="m", registry=registry):
        for accept in ("", "text/plain;version=1.0.0"):
            assert b"_created" not in im.render_metrics(registry, accept)[0]
        families = parse_openmetrics(im.render_metrics(registry, OPENMETRICS)[0])
        messages = parse_delimited(im.render_metrics(registry, PROTOBUF)[0])
    names = {sample.name for family in families for sample in family.samples}
    expected = {"hits_created", "wait_created", "inference_latency_seconds_created"}
    assert {name for name in names if name.endswith("_created")} >= (expected if created else set())
    if not created:
        assert not [name for name in names if name.endswith("_created")]
    # In protobuf they cost no series.
    (counter,) = [message.metric[0].counter for message in messages if message.name == "hits_total"]
    assert counter.start_timestamp.seconds > 1_700_000_000


MEDIA = ["text/plain", "application/openmetrics-text", PROTOBUF, "*/*", "text/*", "a/b"]
SYNTAX = [*';,="\\ \t', "q=", "q=0.5", "q=nan", "version=", "1.0.0", "escaping="]
PARTS = st.sampled_from(MEDIA + SYNTAX)
HEADERS = st.lists(PARTS, max_size=14).map(lambda parts: "".join(parts).encode()) | st.binary(
    max_size=60
)


@settings(max_examples=150, deadline=None)
@given(HEADERS)
def test_no_accept_header_makes_a_500(accept: bytes) -> None:
    accept = accept.translate(None, b"\r\n")
    reply = exchange(
        shared_listener().port,
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: " + accept + b"\r\n\r\n",
    )
    head, _, body = reply.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    # Control characters are no header; anything else gets an answer, and one that parses.
    assert status == 200 or (status == 400 and (min(accept) < 32 or 127 in accept)), reply
    if status == 200:
        (content_type,) = [
            line[14:] for line in head.decode().split("\r\n") if line.startswith("Content-Type: ")
        ]
        families = PARSERS[content_type.partition(";")[0]](body)
        assert any(family.name.startswith("inferometer_build") for family in families)
