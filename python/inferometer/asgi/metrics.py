"""``GET /metrics``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.responses import Response
from starlette.routing import Route

from inferometer.metrics import render_response

if TYPE_CHECKING:
    from starlette.requests import Request

    from inferometer._core import Registry

# Scrapes rendered at once; more wait their turn. Their own limit, so that an application which
# uses up anyio's shared 40 threads can still be scraped.
_SCRAPES_AT_ONCE = 2


def metrics_routes(registry: Registry | None = None) -> list[Route]:
    """Routes that serve a registry to Prometheus.

    Two exact routes, ``/metrics`` and ``/metrics/``: a mount would redirect the first to the
    second. Rendering happens on a thread, without the GIL and without blocking the loop.

    Args:
        registry: What to serve; None: the default registry.

    Returns:
        Starlette routes, for ``Starlette(routes=...)`` or ``app.router.routes.extend(...)``.
    """
    limiters: list[anyio.CapacityLimiter] = []

    async def metrics(request: Request) -> Response:
        if not limiters:  # made inside the running loop that it belongs to
            limiters.append(anyio.CapacityLimiter(_SCRAPES_AT_ONCE))
        # Several header lines of one name mean the same as one with commas.
        accept, encoding = (
            ", ".join(request.headers.getlist(name)) for name in ("accept", "accept-encoding")
        )
        render = partial(render_response, registry, accept, encoding)
        body, headers = await anyio.to_thread.run_sync(render, limiter=limiters[0])
        return Response(body, headers=headers)

    return [Route(path, metrics, methods=["GET"]) for path in ("/metrics", "/metrics/")]
