"""A digit classifier behind HTTP: a Starlette app around one inferometer engine.

    python examples/demo_service.py --port 8000

POST /predict with {"image": [64 numbers, 0 to 16, row by row]} answers {"digit": 7,
"probabilities": [...]}. GET /metrics, /livez and /readyz are there too. scripts/demo.sh starts this
and sends it handwritten digits.
"""

from __future__ import annotations

import argparse
import json
import math
import socket
from pathlib import Path

import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import inferometer as im
from inferometer.asgi import health_routes, lifespan, metrics_routes

MODEL = Path(__file__).resolve().parent.parent / "model_repository/resnet_model/1/model.onnx"
BODY_LIMIT = 16 * 1024


class BadRequestError(Exception):
    """The body is not a request; the message says why."""


async def read_body(request: Request) -> bytes:
    """Returns the body, refused as soon as it is longer than the limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise BadRequestError(f"the body has more bytes than the limit, {BODY_LIMIT}")
    return bytes(body)


def read_image(body: bytes) -> NDArray[np.float32]:
    """Returns the image of a request body, (1, 1, 8, 8) float32 with pixels from 0 to 16."""
    try:
        pixels = np.asarray(json.loads(body)["image"], dtype=np.float32)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadRequestError('the body must be JSON: {"image": [64 numbers]}') from error
    if pixels.shape != (64,) or not np.isfinite(pixels).all():
        raise BadRequestError(f'"image" must be 64 finite numbers, got shape {pixels.shape}')
    if (pixels < 0).any() or (pixels > 16).any():
        raise BadRequestError(f'"image" must hold 0 to 16, got {pixels.min()} to {pixels.max()}')
    return pixels.reshape(1, 1, 8, 8)


def create_app(model_path: Path = MODEL, max_queue_delay: float = 0.002) -> Starlette:
    """Returns the app; its engine is drained when the server stops."""
    engine = im.Engine(
        im.onnx.load(str(model_path)),
        name="digits",
        batching=im.Batching(max_batch_size=64, max_queue_delay=max_queue_delay),
        latency_objective=0.05,
    )

    async def predict(request: Request) -> Response:
        try:
            image = read_image(await read_body(request))
            probabilities = (await engine.infer_async(image))[0]
        except BadRequestError as error:
            return JSONResponse({"error": str(error)}, 400)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except im.QueueFullError as error:
            seconds = str(max(1, math.ceil(error.retry_after)))
            return JSONResponse({"error": str(error)}, 429, {"Retry-After": seconds})
        except im.ClosedError as error:
            return JSONResponse({"error": str(error)}, 503)
        return JSONResponse(
            {"digit": int(probabilities.argmax()), "probabilities": probabilities.tolist()}
        )

    routes = [
        Route("/predict", predict, methods=["POST"]),
        *metrics_routes(),
        *health_routes(engine),
    ]
    return Starlette(routes=routes, lifespan=lifespan(engine))


def listen(host: str, port: int) -> socket.socket:
    """Returns a listening socket; exits with advice if the port is taken. Port 0: a free one."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise SystemExit(
            f"port {port} on {host} cannot be used ({error.strerror}). "
            f"Choose another with --port {port + 1}, or any free one with --port 0."
        ) from None
    listener.listen(1024)
    return listener


def main() -> None:
    """Serves until SIGINT or SIGTERM, then finishes what it accepted."""
    parser = argparse.ArgumentParser(description="Serve the digit classifier over HTTP.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="0 picks a free one (default 8000)")
    parser.add_argument("--model", type=Path, default=MODEL, help="an ONNX file")
    parser.add_argument(
        "--max-queue-delay",
        type=float,
        default=0.002,
        metavar="SECONDS",
        help="how long a request may wait for company (default 0.002)",
    )
    arguments = parser.parse_args()
    listener = listen(arguments.host, arguments.port)
    app = create_app(arguments.model, arguments.max_queue_delay)
    print(f"listening on http://{arguments.host}:{listener.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
