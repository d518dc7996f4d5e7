"""From a slow bucket to the trace that was slow: trace ids as exemplars.

    uvicorn --app-dir examples trace_exemplars:app --port 8000
    TRACE=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
    curl -d '[[1, 2]]' -H "traceparent: $TRACE" http://127.0.0.1:8000/predict
    curl -H 'Accept: application/openmetrics-text; version=1.0.0' http://127.0.0.1:8000/metrics

The latency histogram then has the trace id beside the bucket that the request fell into. Prometheus
keeps it with ``--enable-feature=exemplar-storage``. Needs the extra ``[serve]``.
"""

import numpy as np
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import inferometer as im
from inferometer.asgi import TraceContext, lifespan, metrics_routes

engine = im.Engine(lambda x: x * 2, name="double", inputs=[im.Spec("x", "float32", (-1, 2))])


async def predict(request: Request) -> JSONResponse:
    """Doubles ``[[x1, x2], ...]``; the request to the engine carries the trace id by itself."""
    x = np.asarray(await request.json(), dtype=np.float32)
    return JSONResponse((await engine.infer_async(x)).tolist())


app = Starlette(
    routes=[Route("/predict", predict, methods=["POST"]), *metrics_routes()],
    middleware=[Middleware(TraceContext)],
    lifespan=lifespan(engine),
)
