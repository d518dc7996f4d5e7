"""Starlette and FastAPI: ``/metrics``, health checks, a dashboard, and draining at shutdown.

    from inferometer.asgi import health_routes, lifespan, metrics_routes

    app = Starlette(
        routes=[*metrics_routes(), *health_routes(engine)], lifespan=lifespan(engine)
    )

With FastAPI: ``app.router.routes.extend(metrics_routes())``. Needs the extra
``inferometer[serve]``.
"""

from __future__ import annotations

try:
    import starlette  # noqa: F401
except ImportError as error:
    raise ImportError(
        "inferometer.asgi needs Starlette: pip install 'inferometer[serve]'"
    ) from error

from inferometer.asgi.dashboard import dashboard_app
from inferometer.asgi.health import health_routes
from inferometer.asgi.lifespan import lifespan
from inferometer.asgi.metrics import metrics_routes
from inferometer.asgi.trace_context import TraceContext

__all__ = ["TraceContext", "dashboard_app", "health_routes", "lifespan", "metrics_routes"]
