"""Traps that batching servers fell into, one test each: which series there are, and who gets them.

Named after the trap and the server that it was seen in. Others are in test_peer_traps.py.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import subprocess
import sys
import threading
from collections.abc import Callable

import httpx
import numpy as np
import yaml
from starlette.applications import Starlette

import inferometer as im
from conftest import ROOT
from inferometer import _core
from inferometer.asgi import health_routes, metrics_routes
from inferometer.monitoring.catalogue import catalogue

X = np.ones((1, 2), np.float32)
PLAIN = "text/plain; version=0.0.4; charset=utf-8"


def series(registry: im.Registry) -> set[str]:
    """Every series of an exposition, without its value."""
    text = im.render_metrics(registry)[0].decode()
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}


def test_wrong_content_type_on_metrics_mosec(registry: im.Registry) -> None:
    accepts = {
        "": PLAIN,
        "*/*": PLAIN,
        "text/plain;version=0.0.4": PLAIN,
        "application/openmetrics-text;version=1.0.0;escaping=underscores": (
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores"
        ),
    }

    async def through_asgi(accept: str) -> str:
        transport = httpx.ASGITransport(app=Starlette(routes=[*metrics_routes(registry)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            reply = await client.get("/metrics", headers={"Accept": accept})
            return reply.headers["content-type"]

    with im.serve_metrics(0, registry=registry) as listener:
        for accept, wanted in accepts.items():
            connection = http.client.HTTPConnection(listener.host, listener.port, timeout=30)
            connection.request("GET", "/metrics", headers={"Accept": accept} if accept else {})
            reply = connection.getresponse()
            reply.read()
            connection.close()
            assert reply.getheader("Content-Type") == wanted
            assert asyncio.run(through_asgi(accept)) == wanted
            assert im.render_metrics(registry, accept)[1] == wanted


def test_unbounded_path_label_bentoml(registry: im.Registry) -> None:
    # Whatever a stranger asks for, no series comes of it.
    with im.Engine(lambda x: x, name="m", registry=registry) as engine:
        app = Starlette(routes=[*metrics_routes(registry), *health_routes(engine)])

        async def ask(paths: list[str]) -> None:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                for path in paths:
                    await client.get(path)

        before = series(registry)
        paths = [f"/v{i}?id={i}" for i in range(20)] + ["/metrics", "/livez", "/readyz"]
        asyncio.run(ask(paths))
        with im.serve_metrics(0, registry=registry) as listener:
            for path in paths:
                connection = http.client.HTTPConnection(listener.host, listener.port, timeout=30)
                connection.request("GET", path)
                connection.getresponse().read()
                connection.close()
        assert series(registry) == before
    used = {label for _, _, labels, *_ in _core.catalogue() for label in labels}
    assert used.isdisjoint({"path", "handler", "endpoint", "route", "url", "method"})


def test_label_that_grows_on_reconnect_mosec(registry: im.Registry) -> None:
    # Callers, loops and engines that come and go again leave the series as they were.
    def serve() -> set[str]:
        with im.Engine(lambda x: x, name="m", registry=registry) as engine:
            for _ in range(3):
                threading_call(lambda: engine.infer(X))
                asyncio.run(engine.infer_async(X))
            return series(registry)

    first = serve()
    assert series(registry).isdisjoint(line for line in first if 'model_name="m"' in line)
    for _ in range(5):
        assert serve() == first


def threading_call(call: Callable[[], object]) -> None:
    """Calls it on a thread of its own."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def test_alert_on_a_metric_that_does_not_exist_xinference(registry: im.Registry) -> None:
    with im.Engine(lambda x: x, name="m", registry=registry):
        exposed = series(registry)
    names = {line.partition("{")[0] for line in exposed}
    groups = yaml.safe_load((ROOT / "configs/prometheus-alerts.yml").read_text(encoding="utf-8"))
    expressions = [rule["expr"] for group in groups["groups"] for rule in group["rules"]]
    checked = 0
    for expression in expressions:
        for name, matchers in re.findall(r"\b([a-z_:]+)\{([^}]*)\}", expression):
            shown = {
                label
                for line in exposed
                if line.partition("{")[0] == name
                for label in re.findall(r'(\w+)="', line)
            }
            if name.startswith("nv_gpu_"):  # exposed where there is a GPU
                shown |= set(catalogue()[name].labels)
            else:
                assert name in names | {"up", "scrape_duration_seconds"}, expression
            labels = set(re.findall(r"(\w+)\s*=", matchers))
            assert labels <= shown | {"job", "instance"}, expression  # Prometheus' own
            checked += 1
    assert checked >= len(expressions) > 0


IMPORTS = (
    "import inferometer as im",
    "from inferometer.asgi import metrics_routes",
    "from inferometer.prometheus import Counter",
    "import prometheus_client",
)


def test_import_order_decides_whether_metrics_exist_bentoml_vllm() -> None:
    # Each process imports in another order, and asks for the routes before or after the engine.
    engine = (
        "import inferometer as im; engine = im.Engine(lambda x: x, name='m'); "
        "import numpy; engine.infer(numpy.ones((1, 2), numpy.float32))"
    )
    routes = "from inferometer.asgi import metrics_routes; routes = metrics_routes()"
    show = (
        "body = im.render_metrics()[0].decode(); engine.close(); "
        "print(sorted({line.split(' ')[2] for line in body.splitlines() if line[0] == '#'}))"
    )
    orders = [
        [*IMPORTS, engine, routes, show],
        [*reversed(IMPORTS), engine, routes, show],
        [IMPORTS[3], IMPORTS[2], routes, IMPORTS[0], engine, show],
        [routes, engine, *IMPORTS, show],
        [engine, *reversed(IMPORTS), show],
    ]
    families = set()
    for order in orders:
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(order)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        families.add(done.stdout)
    (only,) = families
    assert "inference_requests_total" in only and "process_open_fds" in only
