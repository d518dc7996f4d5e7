"""The service's application: routes, errors in Triton's words, the page at /."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import inferometer as im
from gated_model import GatedModel
from inferometer.serve import create_app
from served_models import client_of, closing, entered, served, tensor

INFER = "/v2/models/m/infer"


@pytest.fixture
def gate() -> Iterator[GatedModel]:
    with GatedModel() as model:
        yield model


def double(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return x * 2


def test_an_answer() -> None:
    model = served(double)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            for path in (INFER, "/v2/models/m/versions/1/infer"):
                reply = await http.post(path, json={"id": "a", **tensor([1, 2], [3, 4])})
                assert reply.status_code == 200
                assert reply.headers["content-type"] == "application/json"
                assert reply.json() == {
                    "id": "a",
                    "model_name": "m",
                    "model_version": "1",
                    "outputs": [
                        {"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [2, 4, 6, 8]}
                    ],
                }

    with closing(model):
        asyncio.run(main())


def test_unknown_paths_models_and_methods_are_errors_in_json() -> None:
    model = served(double)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            for method, path, status, text in (
                ("POST", "/v2/models/q/infer", 404, "Request for unknown model: 'q' is not found"),
                (
                    *("POST", "/v2/models/m/versions/2/infer", 404),
                    "Request for unknown model: 'm' version 2 is not found",
                ),
                ("GET", "/v2/models/q/ready", 404, "Request for unknown model: 'q' is not found"),
                ("GET", "/v3", 404, "Not Found"),
                ("GET", "/v2/models/m/infer/", 404, "Not Found"),
                ("POST", "/v2/models/m/faults", 404, "Not Found"),
                ("GET", INFER, 405, "Method Not Allowed"),
            ):
                reply = await http.request(method, path)
                assert (reply.status_code, reply.json()) == (status, {"error": text})

    with closing(model):
        asyncio.run(main())


def test_health_says_no_when_the_service_stops() -> None:
    model = served(double)
    app = create_app([model])

    async def main() -> None:
        async with client_of(app) as http:
            kserve = ("/v2/health/ready", "/v2/models/m/ready", "/v2/models/m/versions/1/ready")
            alive = ("/v2/health/live", "/livez")
            for path in (*kserve, *alive, "/readyz"):
                assert (await http.get(path)).status_code == 200, path
            app.state.service.stop()
            for path in kserve:
                reply = await http.get(path)
                assert (reply.status_code, reply.content) == (400, b""), path
            assert (await http.get("/readyz")).status_code == 503
            for path in alive:
                assert (await http.get(path)).status_code == 200, path
            reply = await http.post(INFER, json=tensor([1, 2]))  # what still comes is answered
            assert (reply.status_code, reply.headers["connection"]) == (200, "close")

    with closing(model):
        asyncio.run(main())


def test_a_closed_engine_is_not_ready_and_refuses_in_tritons_words() -> None:
    model = served(double)
    model.close()

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            assert (await http.get("/v2/health/ready")).status_code == 400
            reply = await http.post(INFER, json=tensor([1, 2]))
            assert reply.status_code == 503
            assert reply.json()["error"] == (
                "[request id: <id_unknown>] Server is stopping, scheduler for model has stopped "
                "accepting new inference requests"
            )

    asyncio.run(main())


def test_a_full_queue_is_503_with_retry_after(gate: GatedModel) -> None:
    model = served(gate, batching=im.Batching(max_batch_size=1, max_queue_size=1))

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            first = asyncio.create_task(http.post(INFER, json=tensor([1, 2])))
            await entered(gate, 1)
            # The engine holds one request in its queue; which of these two it is does not matter.
            others = [
                asyncio.create_task(http.post(INFER, json={"id": "b", **tensor([1, 2])}))
                for _ in range(2)
            ]
            done, waiting = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
            (refused,) = done
            assert refused.result().status_code == 503
            assert int(refused.result().headers["retry-after"]) >= 1
            assert refused.result().json() == {
                "error": "[request id: b] Exceeds maximum queue size"
            }
            gate.release(2)
            assert (await first).status_code == 200
            assert (await waiting.pop()).status_code == 200

    with closing(model):
        asyncio.run(main())


def test_a_timeout_is_503(gate: GatedModel) -> None:
    model = served(gate)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            reply = await http.post(INFER, json={"parameters": {"timeout": 1000}, **tensor([1, 2])})
            assert reply.status_code == 503
            assert reply.json() == {"error": "Request timeout expired"}
            gate.release(10)

    with closing(model):
        asyncio.run(main())


def test_a_model_that_fails_is_500_with_its_text() -> None:
    def fail(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        raise RuntimeError("no weights today")

    model = served(fail)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            reply = await http.post(INFER, json=tensor([1, 2]))
            assert reply.status_code == 500
            assert "no weights today" in reply.json()["error"]

    with closing(model):
        asyncio.run(main())


def test_what_is_refused_before_the_engine_is_counted_as_invalid(registry: im.Registry) -> None:
    model = served(double, registry=registry)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            for body in (b"{", b"{}", json.dumps(tensor([1, 2], [3])).encode()):
                assert (await http.post(INFER, content=body)).status_code == 400

    def count(status: str) -> float | None:
        labels = {"model_name": "m", "status": status}
        return registry.sample_value("inference_requests_total", labels)

    with closing(model):
        asyncio.run(main())
        assert (count("invalid"), count("success"), count("failure")) == (3, 0, 0)


def test_other_pages_find_their_place_and_are_linked() -> None:
    model = served(double, name="<b>&\u00e9")

    async def page(_: Any) -> PlainTextResponse:
        return PlainTextResponse("here")

    app: Starlette = create_app(
        [model], pages=[Route("/dashboard", page)], links={"/dashboard": "dashboard"}
    )

    async def main() -> None:
        async with client_of(app) as http:
            assert (await http.get("/dashboard")).text == "here"
            reply = await http.get("/")
            assert reply.headers["content-type"] == "text/html; charset=utf-8"
            assert "default-src 'none'" in reply.headers["content-security-policy"]
            assert '<a href="/dashboard">dashboard</a>' in reply.text
            assert '<a href="/metrics">' in reply.text
            assert "&lt;b&gt;&amp;\u00e9</a>" in reply.text and "<b>" not in reply.text
            assert '"/v2/models/%3Cb%3E%26%C3%A9/ready"' in reply.text
            assert (await http.get("/v2/models/%3Cb%3E%26%C3%A9/ready")).status_code == 200
            for path in ("/metrics", "/metrics/"):
                assert (await http.get(path)).status_code == 200

    with closing(model):
        asyncio.run(main())


def test_a_defect_is_500_without_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    model = served(double)

    def broken(*_: Any) -> Any:
        raise KeyError("secret")

    monkeypatch.setattr(model, "submit", broken)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            reply = await http.post(INFER, json=tensor([1, 2]))
            assert reply.status_code == 500
            assert reply.json() == {"error": "internal error, see the service's log"}

    with closing(model):
        asyncio.run(main())


def test_the_trace_of_a_request_is_its_exemplar() -> None:
    registry = im.Registry()
    model = served(double, registry=registry)
    trace = "0af7651916cd43dd8448eb211c80319c"

    async def main() -> None:
        async with client_of(create_app([model], registry=registry)) as http:
            headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
            assert (await http.post(INFER, json=tensor([1, 2]), headers=headers)).status_code == 200
            accept = {"accept": "application/openmetrics-text;version=1.0.0"}
            assert f'trace_id="{trace}"' in (await http.get("/metrics", headers=accept)).text

    with closing(model):
        asyncio.run(main())


def test_a_drain_that_is_cut_off_answers_in_tritons_words(gate: GatedModel) -> None:
    model = served(gate)
    app = create_app([model])

    async def main() -> None:
        async with client_of(app) as http:
            asked = asyncio.create_task(http.post(INFER, json=tensor([1, 2])))
            await entered(gate, 1)
            asked.cancel()  # as the server does when the time to drain is over
            reply = await asked
            assert reply.status_code == 503
            assert "Server is stopping" in reply.json()["error"]
            gate.release()

    with closing(model):
        asyncio.run(main())
