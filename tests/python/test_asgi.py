"""Starlette and FastAPI: metrics, health, lifespan, and a loop that keeps answering."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import inferometer as im
from gated_model import GatedModel
from inferometer.asgi import health_routes, lifespan, metrics_routes

X = np.ones((1, 2), np.float32)


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service")


def test_both_metrics_paths_answer_without_a_redirect() -> None:
    registry = im.Registry()
    registry.counter("hits", "Hits.").inc(3)

    async def main() -> None:
        async with client(Starlette(routes=[*metrics_routes(registry)])) as http:
            for path in ("/metrics", "/metrics/"):
                response = await http.get(path)
                assert response.status_code == 200
                assert response.headers["content-type"] == (
                    "text/plain; version=0.0.4; charset=utf-8"
                )
                assert "hits_total 3.0\n" in response.text
            assert (await http.head("/metrics")).status_code == 200
            assert (await http.post("/metrics")).status_code == 405
            responses = await asyncio.gather(*(http.get("/metrics") for _ in range(20)))
            assert all(response.status_code == 200 for response in responses)

    asyncio.run(main())
    asyncio.run(main())  # a second loop


PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)


def test_formats_are_negotiated_and_gzipped_when_asked() -> None:
    registry = im.Registry()
    hits = registry.counter("hits", "Hits.", ["path"])
    for i in range(100):
        hits.labels(f"/{i}").inc()

    async def main() -> None:
        async with client(Starlette(routes=[*metrics_routes(registry)])) as http:
            plain = await http.get("/metrics", headers={"accept-encoding": "identity"})
            assert "content-encoding" not in plain.headers
            assert plain.headers["vary"] == "accept, accept-encoding"
            packed = await http.get("/metrics", headers={"accept-encoding": "br, gzip;q=0.5"})
            assert packed.headers["content-encoding"] == "gzip"
            assert packed.text == plain.text  # httpx unpacks it
            assert int(packed.headers["content-length"]) < len(plain.content) / 5
            for accept, media_type, ending in (
                (
                    "application/openmetrics-text;version=1.0.0",
                    "application/openmetrics-text",
                    b"# EOF\n",
                ),
                (PROTOBUF, "application/vnd.google.protobuf", b""),
                (
                    "text/plain;q=0.1, application/openmetrics-text;version=1.0.0;q=0.2",
                    "application/openmetrics-text",
                    b"# EOF\n",
                ),
            ):
                response = await http.get("/metrics", headers={"accept": accept})
                assert response.headers["content-type"].partition(";")[0] == media_type
                assert response.content.endswith(ending)
            lines = [("accept", "text/html"), ("accept", PROTOBUF)]
            response = await http.get("/metrics", headers=lines)
            assert response.headers["content-type"].startswith("application/vnd.google.protobuf")

    asyncio.run(main())


@settings(max_examples=200, deadline=None)
@given(
    accept=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60)
    | st.lists(
        st.sampled_from(
            [*'aq;=,"\\ */', "text/plain", "*/*", "version=", "1.0.0", PROTOBUF, "q=0.5"]
        )
    ).map("".join),
    encoding=st.lists(st.sampled_from([*";=,* ", "gzip", "q=0", "q=1", "br"])).map("".join),
)
def test_no_accept_header_makes_a_500(accept: str, encoding: str) -> None:
    async def main() -> None:
        async with client(Starlette(routes=[*metrics_routes(im.Registry())])) as http:
            headers = [
                (b"accept", accept.encode("latin-1")),
                (b"accept-encoding", encoding.encode()),
            ]
            response = await http.get("/metrics", headers=headers)
            assert response.status_code == 200
            assert response.headers["content-type"].partition(";")[0] in {
                "text/plain",
                "application/openmetrics-text",
                "application/vnd.google.protobuf",
            }

    asyncio.run(main())


def test_the_default_registry_is_the_default() -> None:
    async def main() -> None:
        async with client(Starlette(routes=[*metrics_routes()])) as http:
            assert "inferometer_build_info" in (await http.get("/metrics")).text

    asyncio.run(main())


def test_fastapi_takes_the_routes() -> None:
    from fastapi import FastAPI

    app = FastAPI()
    app.router.routes.extend(metrics_routes())

    async def main() -> None:
        async with client(app) as http:
            assert (await http.get("/metrics")).status_code == 200

    asyncio.run(main())


def test_health() -> None:
    engine = im.Engine(lambda x: x, name="m", registry=im.NO_METRICS)
    other = im.Engine(lambda x: x, name="n", registry=im.NO_METRICS)

    async def main() -> None:
        async with client(Starlette(routes=[*health_routes(engine, other)])) as http:
            assert (await http.get("/livez")).json() == {"live": True}
            response = await http.get("/readyz")
            assert response.status_code == 200
            assert response.json() == {"ready": True, "engines": {"m": True, "n": True}}
            engine.close()
            response = await http.get("/readyz")
            assert response.status_code == 503
            assert response.json() == {"ready": False, "engines": {"m": False, "n": True}}
            assert (await http.get("/livez")).status_code == 200

    asyncio.run(main())
    other.close()


def test_lifespan_drains_and_closes() -> None:
    async def main() -> None:
        with GatedModel() as model:
            engine = im.Engine(model, name="m", registry=im.NO_METRICS)
            async with lifespan(engine)(None):
                handle = engine.submit(X)
                model.release()
            assert engine.closed and handle.result()[0, 0] == 2

    asyncio.run(main())


def test_lifespan_says_what_it_could_not_drain(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        with GatedModel() as model:
            engine = im.Engine(model, name="m", registry=im.NO_METRICS)
            loop = asyncio.get_running_loop()
            with caplog.at_level(logging.WARNING, "inferometer"):
                stopping = lifespan(engine, drain_timeout=0.001)(None)
                await stopping.__aenter__()
                handle = engine.submit(X)
                await loop.run_in_executor(None, model.wait_entered, 1)
                leaving = asyncio.ensure_future(stopping.__aexit__(None, None, None))
                await loop.run_in_executor(None, handle.exception, 60)
                model.release()
                await leaving
            assert "requests were left" in caplog.text
            assert isinstance(handle.exception(), im.ClosedError)

    asyncio.run(main())


def test_an_application_with_a_lifespan_of_its_own() -> None:
    engine = im.Engine(lambda x: x, name="m", registry=im.NO_METRICS)
    events: list[str] = []

    @asynccontextmanager
    async def own(app: Starlette) -> AsyncIterator[None]:
        events.append("start")
        async with lifespan(engine)(app):
            yield
        events.append("stop")

    async def main() -> None:
        async with own(Starlette()):
            assert (await engine.infer_async(X))[0, 0] == 1

    asyncio.run(main())
    assert events == ["start", "stop"] and engine.closed


def test_other_routes_answer_while_a_batch_runs() -> None:
    async def main() -> None:
        with GatedModel() as model:
            engine = im.Engine(model, name="m", registry=im.NO_METRICS)

            async def predict(request: Request) -> PlainTextResponse:
                return PlainTextResponse(str((await engine.infer_async(X))[0, 0]))

            async def other(request: Request) -> PlainTextResponse:
                return PlainTextResponse("here")

            app = Starlette(
                routes=[
                    Route("/predict", predict),
                    Route("/other", other),
                    *metrics_routes(),
                ]
            )
            async with client(app) as http:
                slow = asyncio.ensure_future(http.get("/predict"))
                await asyncio.get_running_loop().run_in_executor(None, model.wait_entered, 1)
                assert (await http.get("/other")).text == "here"
                assert (await http.get("/metrics")).status_code == 200
                assert not slow.done()
                model.release()
                assert (await slow).text == "2.0"
            await asyncio.get_running_loop().run_in_executor(None, engine.close)

    asyncio.run(main())
