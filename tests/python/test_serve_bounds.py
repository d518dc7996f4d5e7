"""The service's application: what it bounds, cancels, merges, and does not hold up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest

import inferometer as im
from gated_model import GatedModel
from inferometer.serve import Limits, create_app
from served_models import client_of, closing, entered, served, tensor


def double(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return x * 2


@pytest.fixture
def gate() -> Iterator[GatedModel]:
    with GatedModel() as model:
        yield model


INFER = "/v2/models/m/infer"


async def chunks(total: int, size: int = 1000) -> Any:
    for _ in range(0, total, size):
        yield b" " * size


def test_bodies_are_bounded(registry: im.Registry) -> None:
    model = served(double, registry=registry)
    limits = Limits(body_bytes=10_000, bodies_bytes=15_000)
    app = create_app([model], limits=limits)

    async def main() -> None:
        async with client_of(app) as http:
            for content in (b" " * 10_001, chunks(11_000)):
                reply = await http.post(INFER, content=content)
                assert reply.status_code == 413
                assert reply.json() == {
                    "error": "the request body has more bytes than the limit, 10000"
                }
            assert app.state.service.bodies.held == 0
            exact = json.dumps(tensor([1, 2])).encode().ljust(10_000)
            assert (await http.post(INFER, content=exact)).status_code == 200
            for headers, status, text in (
                ({"content-encoding": "gzip"}, 501, "Content-Encoding 'gzip' is not supported"),
                ({"content-length": "x"}, 400, "got Content-Length 'x', want a number"),
                (
                    {"inference-header-content-length": "5"},
                    400,
                    "binary tensor data is not supported: send the whole body as JSON",
                ),
            ):
                reply = await http.post(INFER, content=b"{}", headers=headers)
                assert (reply.status_code, reply.json()) == (status, {"error": text})
            whole = {"inference-header-content-length": str(len(exact))}
            assert (await http.post(INFER, content=exact, headers=whole)).status_code == 200

    with closing(model):
        asyncio.run(main())


def test_all_bodies_together_are_bounded(gate: GatedModel) -> None:
    model = served(gate)
    limits = Limits(body_bytes=10_000, bodies_bytes=15_000)
    app = create_app([model], limits=limits)
    body = json.dumps(tensor([1, 2])).encode().ljust(9_000)

    async def main() -> None:
        async with client_of(app) as http:
            first = asyncio.create_task(http.post(INFER, content=body))
            await entered(gate, 1)
            reply = await http.post(INFER, content=body)
            assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
            assert "together have more than 15000 bytes" in reply.json()["error"]
            gate.release()
            assert (await first).status_code == 200
            assert app.state.service.bodies.held == 0
            gate.release()
            assert (await http.post(INFER, content=body)).status_code == 200

    with closing(model):
        asyncio.run(main())


def scope(path: str = INFER) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }


def test_a_body_that_never_ends_is_given_up() -> None:
    model = served(double)
    app = create_app([model], limits=Limits(body_seconds=0.01))
    sent: list[Any] = []

    async def main() -> None:
        messages = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive() -> Any:
            return messages.pop() if messages else await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope(), receive, send)

    with closing(model):
        asyncio.run(main())
    assert sent[0]["status"] == 408 and (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"]) == {"error": "the body took more than 0.01 s to arrive"}
    assert app.state.service.bodies.held == 0


@pytest.mark.parametrize("when", ["before it stops", "after that"])
def test_a_service_that_stops_waits_for_no_body_for_long(when: str) -> None:
    model = served(double)
    app = create_app([model], limits=Limits(last_body_seconds=0.01))
    sent: list[Any] = []

    async def main() -> None:
        waits = asyncio.Event()
        messages = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            waits.set()
            return await asyncio.Event().wait()

        async def send(message: Any) -> None:
            sent.append(message)

        if when == "after that":
            app.state.service.stop()
        request = asyncio.create_task(app(scope(), receive, send))
        if when == "before it stops":
            await waits.wait()
            app.state.service.stop()
        await request

    with closing(model):
        asyncio.run(main())
    assert sent[0]["status"] == 503 and (b"connection", b"close") in sent[0]["headers"]
    assert "Server is stopping" in json.loads(sent[1]["body"])["error"]
    assert app.state.service.bodies.held == 0
    assert app.state.service.replies == {503: 1}


def test_the_time_to_drain_is_counted_from_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    model = served(double)
    asked: list[float] = []

    def drain(_: im.Engine, timeout: float) -> bool:
        asked.append(timeout)
        return True

    monkeypatch.setattr(im.Engine, "drain", drain)
    app = create_app([model], drain_timeout=30)

    async def main() -> None:
        async with app.router.lifespan_context(app):
            app.state.service.stop()
            now = time.monotonic()
            monkeypatch.setattr(time, "monotonic", lambda: now + 20)

    asyncio.run(main())
    assert 9 < asked[0] <= 10
    monkeypatch.undo()
    model.close()


@pytest.mark.parametrize("merges", [True, False])
def test_a_client_that_goes_cancels_its_request(gate: GatedModel, merges: bool) -> None:
    registry = im.Registry()
    model = served(gate, merges=merges, registry=registry)
    app = create_app([model])

    async def main() -> None:
        body = json.dumps(tensor([1, 2], [3, 4])).encode()
        gone = asyncio.Event()
        messages: list[Any] = [{"type": "http.request", "body": body}]

        async def receive() -> Any:
            if messages:
                return messages.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            pass

        request = asyncio.create_task(app(scope(), receive, send))
        await entered(gate, 1)
        gone.set()
        await request  # ends although the model does not

    with closing(model):
        asyncio.run(main())
        labels = {"model_name": "m", "status": "cancelled"}
        assert registry.sample_value("inference_requests_total", labels) == 1
        assert app.state.service.replies == {499: 1}
        gate.release()


def test_a_client_that_goes_while_sending_is_forgotten() -> None:
    model = served(double)
    app = create_app([model])

    async def main() -> None:
        messages: list[Any] = [
            {"type": "http.disconnect"},
            {"type": "http.request", "body": b"{", "more_body": True},
        ]

        async def receive() -> Any:
            return messages.pop()

        async def send(message: Any) -> None:
            pass

        await app(scope(), receive, send)

    with closing(model):
        asyncio.run(main())
    assert app.state.service.bodies.held == 0


async def answers(http: httpx.AsyncClient, gate: GatedModel, rows: list[int]) -> list[int]:
    """Sends requests of so many rows while one runs; returns the batches that they made."""
    first = asyncio.create_task(http.post(INFER, json=tensor([0, 0])))
    await entered(gate, 1)
    others = [
        asyncio.create_task(http.post(INFER, json=tensor(*[[float(i), 0.0]] * count)))
        for i, count in enumerate(rows)
    ]
    for _ in range(50):  # all are in the queue, or held before it
        await asyncio.sleep(0)
    gate.release(100)
    for i, reply in enumerate([first, *others]):
        done = await reply
        assert done.status_code == 200
        assert i == 0 or done.json()["outputs"][0]["data"][0] == 2 * (i - 1)
    return gate.batches[1:]


def test_without_dynamic_batching_no_request_is_merged(gate: GatedModel) -> None:
    model = served(gate, merges=False)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            rows = [1, 1, 3, 1, 2, 2, 1]
            assert await answers(http, gate, rows) == rows

    with closing(model):
        asyncio.run(main())


def test_with_dynamic_batching_waiting_requests_are(gate: GatedModel) -> None:
    model = served(gate)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            assert await answers(http, gate, [1, 1, 2, 3, 1]) == [4, 4]

    with closing(model):
        asyncio.run(main())


def test_without_dynamic_batching_what_waits_is_bounded_and_seen(
    gate: GatedModel, registry: im.Registry
) -> None:
    batching = im.Batching(max_batch_size=4, max_queue_size=2, merge_requests=False)
    model = served(gate, batching=batching, registry=registry)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            running = asyncio.create_task(http.post(INFER, json=tensor([1, 2], [3, 4])))
            await entered(gate, 1)
            others = [
                asyncio.create_task(http.post(INFER, json=tensor([1, 2], [3, 4]))) for _ in range(3)
            ]
            done, waiting = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
            reply = done.pop().result()
            assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
            assert "Exceeds maximum queue size" in reply.json()["error"]
            depth = registry.sample_value("inference_queue_depth", {"model_name": "m"})
            assert depth == len(waiting) == 2
            gate.release(5)
            assert [(await each).status_code for each in (running, *waiting)] == [200] * 3

    with closing(model):
        asyncio.run(main())


def test_without_dynamic_batching_a_timeout_counts_the_wait(gate: GatedModel) -> None:
    model = served(gate, merges=False)

    async def main() -> None:
        async with client_of(create_app([model])) as http:
            running = asyncio.create_task(http.post(INFER, json=tensor([1, 2], [3, 4])))
            await entered(gate, 1)
            late = {"parameters": {"timeout": 1000}, **tensor([1, 2], [3, 4])}
            replies = await asyncio.gather(*(http.post(INFER, json=late) for _ in range(3)))
            for reply in replies:  # although the model has not come back
                assert reply.status_code == 503
                assert reply.json() == {"error": "Request timeout expired"}
            gate.release()
            assert (await running).status_code == 200

    with closing(model):
        asyncio.run(main())


def test_the_loop_answers_while_a_large_body_is_read() -> None:
    model = served(double, batching=im.Batching(max_batch_size=200_000))
    app = create_app([model])
    values = np.random.default_rng(4).random((200_000, 2)).round(6)
    body = json.dumps(
        {
            "inputs": [
                {
                    "name": "x",
                    "shape": [200_000, 2],
                    "datatype": "FP32",
                    "data": values.ravel().tolist(),
                }
            ]
        }
    ).encode()

    async def main() -> int:
        async with client_of(app) as http:
            large = asyncio.create_task(http.post(INFER, content=body))
            answered = 0
            while not large.done():
                assert (await http.get("/livez")).status_code == 200
                answered += 1
                await asyncio.sleep(0)  # without a socket, nothing has let others run
            data = large.result().json()["outputs"][0]["data"]
            assert np.array_equal(np.array(data, np.float32), values.ravel().astype(np.float32) * 2)
            return answered

    with closing(model):
        # Read and written in one call each, it would be three or four.
        assert asyncio.run(main()) >= 10
