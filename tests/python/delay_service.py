"""A service whose model takes as long as it is told to.

    python tests/python/delay_service.py --port 8000

POST /infer sends one row through an engine named "delayed". PUT /delay, with seconds as its body,
says how long each batch takes from now on, the running one included. GET /metrics, /livez and
/readyz are there too.
"""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import inferometer as im
from inferometer.asgi import health_routes, lifespan, metrics_routes

LONGEST_SECONDS = 60.0


class DelayedModel:
    """Doubles its input after a delay that any thread may change. Thread-safe."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._changed = threading.Condition()

    def set_delay(self, seconds: float) -> None:
        """Each batch takes that long from now on, also the one that runs."""
        with self._changed:
            self._seconds = seconds
            self._changed.notify_all()

    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        begin = time.monotonic()
        with self._changed:
            while (left := begin + self._seconds - time.monotonic()) > 0:
                self._changed.wait(left)
        return x * 2


def create_app() -> Starlette:
    """The app around one engine."""
    model = DelayedModel()
    engine = im.Engine(
        model,
        name="delayed",
        batching=im.Batching(max_batch_size=256),
        inputs=[im.Spec("x", "float32", (-1, 1))],
        # The model's cost jumps: a loop that runs a batch itself would be held up, and /metrics.
        inline_limit=0,
    )
    row = np.ones((1, 1), np.float32)

    async def infer(_: Request) -> Response:
        return JSONResponse((await engine.infer_async(row)).tolist())

    async def delay(request: Request) -> Response:
        body = await request.body()
        try:
            seconds = float(body)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds <= LONGEST_SECONDS:
            problem = f"got {body[:40]!r}, want seconds from 0 to {LONGEST_SECONDS:g}"
            return JSONResponse({"error": problem}, 400)
        model.set_delay(seconds)
        return Response(status_code=204)

    routes = [
        Route("/infer", infer, methods=["POST"]),
        Route("/delay", delay, methods=["PUT"]),
        *metrics_routes(),
        *health_routes(engine),
    ]
    return Starlette(routes=routes, lifespan=lifespan(engine))


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve a model that is as slow as it is told.")
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    uvicorn.run(create_app(), host="127.0.0.1", port=arguments.port, log_level="warning")


if __name__ == "__main__":
    main()
