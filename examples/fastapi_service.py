"""A model behind FastAPI, with a request body that pydantic checks.

    uvicorn --app-dir examples fastapi_service:app --port 8000
    curl -H 'Content-Type: application/json' -d '{"x": [1, 2, 3]}' http://127.0.0.1:8000/predict
    curl http://127.0.0.1:8000/metrics

Needs the extra ``[serve]`` and FastAPI.
"""

import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

import inferometer as im
from inferometer.asgi import health_routes, lifespan, metrics_routes

WEIGHTS = np.random.default_rng(1).normal(size=(3, 2)).astype(np.float32)

engine = im.Engine(
    lambda x: x @ WEIGHTS,
    name="linear",
    batching=im.Batching(max_batch_size=32, max_queue_delay=0.002),
    inputs=[im.Spec("x", "float32", (-1, 3))],
)
app = FastAPI(lifespan=lifespan(engine))
app.router.routes.extend([*metrics_routes(), *health_routes(engine)])


class Features(BaseModel):
    """One row."""

    x: list[float] = Field(min_length=3, max_length=3)


@app.post("/predict")
async def predict(features: Features) -> list[float]:
    """Answers ``[y1, y2]`` for ``{"x": [x1, x2, x3]}``."""
    row = np.asarray(features.x, dtype=np.float32)
    try:
        answer = await engine.infer_one_async(row)
    except im.QueueFullError as error:
        raise HTTPException(429, str(error), {"Retry-After": "1"}) from error
    return [float(y) for y in answer]
