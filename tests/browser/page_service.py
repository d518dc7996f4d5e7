"""A service with models under load and both pages, for tests in a browser and for screenshots.

    python tests/browser/page_service.py --port 8000 --models 3 --prometheus http://127.0.0.1:9090

``/dashboard`` shows the process' own history, ``/prometheus`` the same from Prometheus, which
scrapes ``/metrics``. The first model is the digit classifier of model_repository; the others take a
programmed time, and have names of all kinds.
"""

from __future__ import annotations

import argparse
import random
import threading
import time
from pathlib import Path

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

import inferometer as im
from inferometer.asgi import dashboard_app, health_routes, metrics_routes

RESNET = (
    Path(__file__).resolve().parent.parent.parent / "model_repository/resnet_model/1/model.onnx"
)
NAMES = ("resnet_model", "fraud_check", "slow_ranker", 'odd <b>"name"\\</b>')
REQUESTS_A_SECOND = 60.0


def make_engine(index: int) -> im.Engine:
    """An engine; all but the first one's batches take some milliseconds."""
    batching = im.Batching(max_batch_size=16, max_queue_delay=0.02)
    if index == 0:
        resnet = im.onnx.load(RESNET)
        return im.Engine(resnet, name=NAMES[0], batching=batching, latency_objective=0.05)
    name = NAMES[index] if index < len(NAMES) else f"model_{index:03d}"
    model = im.DelayModel(0.002 + 0.001 * (index % 5), 0.0005, [im.Spec("x", "float32", (-1, 4))])
    return im.Engine(model, name=name, batching=batching, latency_objective=0.05)


def send(engines: list[im.Engine], stop: threading.Event) -> None:
    """Requests to all models, the first ones more; some give up early."""
    chance = random.Random(1)
    image, row = np.ones((1, 1, 8, 8), np.float32), np.ones((1, 4), np.float32)
    waiting: list[im.Request] = []
    while not stop.is_set():
        engine = engines[min(int(chance.expovariate(1.0)), len(engines) - 1)]
        if len(engines) > len(NAMES):
            engine = chance.choice(engines)
        for _ in range(chance.randint(1, 6)):
            timeout = 0.001 if chance.random() < 0.02 else None
            waiting.append(
                engine.submit(image if engine.name == NAMES[0] else row, timeout=timeout)
            )
        waiting = [request for request in waiting if not request.done()]
        time.sleep(chance.expovariate(REQUESTS_A_SECOND))


def main() -> None:
    """Serves until SIGTERM."""
    parser = argparse.ArgumentParser(description="Serve models under load, and pages about them.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--prometheus", default=None)
    parser.add_argument("--scrape-interval", type=float, default=1.0)
    arguments = parser.parse_args()
    engines = [make_engine(index) for index in range(arguments.models)]
    mounts = [Mount("/dashboard", dashboard_app())]
    if arguments.prometheus:
        app = dashboard_app(arguments.prometheus, scrape_interval=arguments.scrape_interval)
        mounts.append(Mount("/prometheus", app))
    stop = threading.Event()
    load = threading.Thread(target=send, args=(engines, stop))
    if engines:
        load.start()
    app = Starlette(routes=[*metrics_routes(), *health_routes(*engines), *mounts])
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning")
    stop.set()
    if engines:
        load.join()


if __name__ == "__main__":
    main()
