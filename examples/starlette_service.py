"""A model behind Starlette: single requests in, batches inside, /metrics beside them.

    uvicorn --app-dir examples starlette_service:app --port 8000
    curl -d '[[1, 2, 3]]' http://127.0.0.1:8000/predict
    curl http://127.0.0.1:8000/metrics

Needs the extra ``[serve]``.
"""

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import inferometer as im
from inferometer.asgi import health_routes, lifespan, metrics_routes

WEIGHTS = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)

engine = im.Engine(
    lambda x: x @ WEIGHTS,
    name="linear",
    batching=im.Batching(max_batch_size=32, max_queue_delay=0.002),
    inputs=[im.Spec("x", "float32", (-1, 3))],
)


async def predict(request: Request) -> JSONResponse:
    """Answers ``[[y1, y2], ...]`` for ``[[x1, x2, x3], ...]``."""
    try:
        x = np.asarray(await request.json(), dtype=np.float32)
        return JSONResponse((await engine.infer_async(x)).tolist())
    except im.QueueFullError as error:
        return JSONResponse({"error": str(error)}, 429, {"Retry-After": "1"})
    except (ValueError, TypeError) as error:  # ShapeError is a ValueError, DTypeError a TypeError
        return JSONResponse({"error": str(error)}, 400)


app = Starlette(
    routes=[
        Route("/predict", predict, methods=["POST"]),
        *metrics_routes(),
        *health_routes(engine),
    ],
    lifespan=lifespan(engine),
)
