"""``POST /v2/models/NAME/infer``."""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive

from inferometer._core import Pending
from inferometer.serve.errors import STOPPING, RequestError, engine_error
from inferometer.serve.infer_reply import write_reply
from inferometer.serve.infer_request import InferRequest, read_request
from inferometer.serve.number_arrays import Array
from inferometer.serve.replies import error_reply
from inferometer.serve.served_model import ServedModel
from inferometer.serve.service import Service

# What a client that has gone is answered, which nobody reads; nginx's logs know it as this.
_CLIENT_HAS_GONE = 499


def infer_routes(service: Service) -> list[Route]:
    """The routes on which models are asked."""

    async def infer(request: Request) -> Response:
        try:
            reply = await _infer(service, service.find(request), request)
        except ClientDisconnect:
            reply = Response(status_code=_CLIENT_HAS_GONE)
        except RequestError as error:
            reply = error_reply(error)
        except asyncio.CancelledError:  # the server stops, and its time to drain is over
            reply = error_reply(RequestError(503, STOPPING))
        service.replies[reply.status_code] += 1
        if service.stopping:
            reply.headers["Connection"] = "close"
        return reply

    return [
        Route("/v2/models/{name}/infer", infer, methods=["POST"]),
        Route("/v2/models/{name}/versions/{version}/infer", infer, methods=["POST"]),
    ]


async def _infer(service: Service, model: ServedModel, request: Request) -> Response:
    limits = service.limits
    async with service.bodies.receive(request) as body:
        try:
            asked = await service.run(len(body), partial(read_request, body, model, limits))
        except RequestError:
            model.count_invalid()
            raise
        del body
        try:
            outputs = await _unless_client_goes(request.receive, model.submit(asked))
        except Exception as error:
            if (answer := engine_error(error, asked.id)) is None:
                raise
            raise answer from error
    size = sum(array.nbytes for array in outputs.values())
    reply = await service.run(size, partial(_write, asked, model, outputs))
    return Response(reply, media_type="application/json")


def _write(asked: InferRequest, model: ServedModel, outputs: dict[str, Array]) -> bytes:
    return write_reply(asked, model.name, model.version, outputs)


async def _unless_client_goes(
    receive: Receive, answer: Pending[dict[str, Array]]
) -> dict[str, Array]:
    """Waits for an answer; lets go of the request as soon as its client has gone.

    Raises:
        ClientDisconnect: It has gone.
    """

    async def watch() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        answer.cancel()

    watching = asyncio.ensure_future(watch())
    try:
        return await answer
    except asyncio.CancelledError:
        if watching.done() and not watching.cancelled():
            raise ClientDisconnect from None
        raise
    finally:
        watching.cancel()
