"""Native histograms and exemplars, read by parsers that are not ours."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import inferometer as im
from exposition_parsers import parse_delimited, parse_openmetrics
from inferometer.asgi import TraceContext
from inferometer.asgi.trace_context import parse_traceparent
from native_oracle import native_counts

PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
X = np.ones((1, 2), np.float32)


def histogram_of(registry: im.Registry, name: str) -> Any:
    families = parse_delimited(im.render_metrics(registry, PROTOBUF)[0])
    (family,) = [family for family in families if family.name == name]
    return family.metric[0].histogram


@given(st.lists(st.floats(allow_nan=False), max_size=60))
def test_native_buckets_hold_what_was_observed(values: list[float]) -> None:
    registry = im.Registry()
    histogram = registry.histogram("h", native_histograms=True)
    expected: dict[bool, dict[int, int]] = {False: {}, True: {}}
    zeros = 0
    for value in values:
        histogram.observe(value)
        if abs(value) <= 2.0**-128:
            zeros += 1
            continue
        buckets = expected[value < 0]
        index = im._core.native_bucket_index(abs(value), 3)
        buckets[index] = buckets.get(index, 0) + 1
    read = histogram_of(registry, "h")
    assert read.sample_count == len(values)
    assert (read.schema, read.zero_threshold, read.zero_count) == (3, 2.0**-128, zeros)
    got = {
        False: native_counts(read.positive_span, read.positive_delta),
        True: native_counts(read.negative_span, read.negative_delta),
    }
    for sign in (False, True):
        assert got[sign] == expected[sign]
    assert read.bucket[-1].cumulative_count == len(values)
    if not values:
        assert len(read.positive_span) == 1
        assert read.positive_span[0].length == 0


def test_more_than_160_buckets_halve_the_resolution() -> None:
    registry = im.Registry(native_histograms=True)
    histogram = registry.histogram("h")
    schemas = []
    for i in range(600):
        histogram.observe(2.0 ** (i / 8 - 30))
        schemas.append(histogram_of(registry, "h").schema) if i % 50 == 0 else None
    read = histogram_of(registry, "h")
    assert schemas == sorted(schemas, reverse=True)
    assert read.schema == 1
    buckets = native_counts(read.positive_span, read.positive_delta)
    assert len(buckets) <= 160
    assert sum(buckets.values()) == read.sample_count == 600


def test_nan_counts_but_has_no_native_bucket() -> None:
    registry = im.Registry()
    histogram = registry.histogram("h", native_histograms=True)
    histogram.observe(math.nan)
    histogram.observe(1.0)
    read = histogram_of(registry, "h")
    assert read.sample_count == 2
    assert math.isnan(read.sample_sum)
    assert native_counts(read.positive_span, read.positive_delta) == {0: 1}


@pytest.mark.parametrize("where", ["registry", "engine"])
def test_an_engines_histograms(where: str) -> None:
    registry = im.Registry(native_histograms=where == "registry")
    with im.Engine(
        lambda x: x, name="m", registry=registry, native_histograms=where == "engine"
    ) as engine:
        for _ in range(20):
            engine.infer(X)
        for name, count in (
            ("inference_latency_seconds", 20),
            ("inference_queue_seconds", 20),
            ("inference_compute_seconds", 20),
            ("inference_batch_size", 20),
        ):
            read = histogram_of(registry, name)
            assert read.sample_count == count
            # A call that runs on its caller's thread waits for no time at all.
            counted = sum(native_counts(read.positive_span, read.positive_delta).values())
            assert counted + read.zero_count == count
            assert read.start_timestamp.seconds > 1_700_000_000
        # A second version shares the histograms; what it counted stays when it goes.
        with im.Engine(lambda x: x, name="m", version="2", registry=registry) as second:
            second.infer(X)
        read = histogram_of(registry, "inference_latency_seconds")
        assert read.sample_count == 21
        assert sum(native_counts(read.positive_span, read.positive_delta).values()) == 21


def test_native_is_opt_in() -> None:
    registry = im.Registry()
    registry.histogram("h").observe(1)
    assert not histogram_of(registry, "h").positive_span
    registry = im.Registry(native_histograms=True)
    registry.histogram("h", native_histograms=False).observe(1)
    assert not histogram_of(registry, "h").positive_span


# Exemplars.


def exemplars_of(registry: im.Registry, sample: str) -> dict[str, Any]:
    """By le (or "" for a counter), as prometheus_client's strict parser reads them."""
    families = parse_openmetrics(im.render_metrics(registry, OPENMETRICS)[0])
    return {
        one.labels.get("le", ""): one.exemplar
        for family in families
        for one in family.samples
        if one.name == sample and one.exemplar is not None
    }


def test_buckets_keep_the_newest_exemplar_each() -> None:
    registry = im.Registry()
    histogram = registry.histogram("h", buckets=[1, 2])
    counter = registry.counter("c")
    histogram.observe(0.5, exemplar={"trace_id": "old"})
    histogram.observe(0.75, exemplar={"trace_id": "new", "span": "a b"})
    histogram.observe(0.25)
    histogram.observe(7, {"trace_id": "big"})
    counter.inc(3, {"trace_id": "c"})
    found = exemplars_of(registry, "h_bucket")
    assert set(found) == {"1.0", "+Inf"}
    assert found["1.0"].labels == {"trace_id": "new", "span": "a b"}
    assert found["1.0"].value == 0.75
    assert found["1.0"].timestamp.sec > 1_700_000_000
    assert exemplars_of(registry, "c_total")[""].labels == {"trace_id": "c"}
    assert "# {" not in im.render_metrics(registry)[0].decode()
    # prometheus_client's parser stumbles over escaped quotes in exemplars: read them by eye.
    counter.inc(1, {"trace_id": 'a"\\\n'})
    text = im.render_metrics(registry, OPENMETRICS)[0].decode()
    assert 'c_total 4.0 # {trace_id="a\\"\\\\\\n"} 1.0 ' in text
    (with_exemplar,) = [
        b.exemplar for b in histogram_of(registry, "h").bucket if b.upper_bound == 1
    ]
    assert {pair.name: pair.value for pair in with_exemplar.label}["trace_id"] == "new"


@pytest.mark.parametrize(
    ("exemplar", "text"),
    [
        ({}, "exemplar: got no labels"),
        ({"1": "x"}, "exemplar: got label name"),
        ({"t": "x" * 128}, "got labels of 129 code points"),
        ({"t": "\ud800"}, "lone surrogates"),
    ],
)
def test_wrong_exemplars_record_nothing(exemplar: dict[str, str], text: str) -> None:
    registry = im.Registry()
    histogram, counter = registry.histogram("h"), registry.counter("c")
    with pytest.raises(im.ConfigError, match=text):
        histogram.observe(1, exemplar)
    with pytest.raises(im.ConfigError, match=text):
        counter.inc(1, exemplar)
    assert registry.sample_value("h_count") == 0
    assert counter.value == 0


def test_requests_carry_trace_ids() -> None:
    registry = im.Registry()

    def model(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if x[0, 0] < 0:
            raise ValueError("no")
        return x

    async def main(engine: im.Engine) -> None:
        await engine.infer_async(X, trace_id="async")
        assert last() == "async"
        await engine.infer_one_async(X[0], trace_id="one async")
        assert last() == "one async"

    def last() -> str:
        """The newest exemplar of all buckets."""
        found = exemplars_of(registry, "inference_latency_seconds_bucket").values()
        return str(max(found, key=lambda one: one.timestamp).labels["trace_id"])

    with im.Engine(model, name="m", registry=registry) as engine:
        engine.infer(X)
        assert exemplars_of(registry, "inference_latency_seconds_bucket") == {}
        engine.infer(X, trace_id="infer")
        assert last() == "infer"
        engine.infer_one(X[0], trace_id="one")
        assert last() == "one"
        engine.submit(X, trace_id="submit").result()
        assert last() == "submit"
        with pytest.raises(im.ModelError):
            engine.infer(-X, trace_id="failed")
        assert last() == "failed"
        asyncio.run(main(engine))
        with pytest.raises(im.DeadlineExceededError):
            engine.infer(X, timeout=0, trace_id="late")
        assert last() == "late"
        engine.infer(X, trace_id="é" * 120)
        assert last() == "é" * 120
        for wrong, text in (
            ("x" * 121, "got 121 code points, want at most 120"),
            (7, "got 7, want a str"),
            ("\ud800", "surrogates"),
        ):
            with pytest.raises(im.ConfigError, match=text):
                engine.infer(X, trace_id=wrong)  # type: ignore[arg-type]
        assert engine.stats()["requests"]["invalid"] >= 1


def test_the_middleware_takes_the_trace_id_from_traceparent() -> None:
    registry = im.Registry()

    async def main() -> None:
        async def predict(request: Request) -> PlainTextResponse:
            await engine.infer_async(X, trace_id=request.query_params.get("trace_id"))
            return PlainTextResponse("done")

        async with im.Engine(lambda x: x, name="m", registry=registry) as engine:
            app = Starlette(routes=[Route("/", predict)], middleware=[Middleware(TraceContext)])
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://m") as http:
                await http.get("/")
                await http.get("/", headers={"traceparent": "nonsense"})
                assert exemplars_of(registry, "inference_latency_seconds_bucket") == {}
                await http.get("/", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
                found = exemplars_of(registry, "inference_latency_seconds_bucket")
                assert [one.labels for one in found.values()] == [{"trace_id": TRACE}]
                await http.get(
                    "/?trace_id=mine", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
                )
                found = exemplars_of(registry, "inference_latency_seconds_bucket")
                assert "mine" in [one.labels["trace_id"] for one in found.values()]

    asyncio.run(main())


@pytest.mark.parametrize(
    ("header", "trace_id"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-comes-later", TRACE),
        (f"00-{TRACE}-00f067aa0ba902b7-01-more", None),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE}-00f067aa0ba902b7", None),
        ("", None),
    ],
)
def test_traceparent(header: str, trace_id: str | None) -> None:
    assert parse_traceparent(header.encode()) == trace_id


@settings(max_examples=300)
@given(st.binary(max_size=80) | st.text("0af-", max_size=60).map(str.encode))
def test_traceparent_takes_any_bytes(header: bytes) -> None:
    trace_id = parse_traceparent(header)
    assert trace_id is None or len(trace_id) == 32
