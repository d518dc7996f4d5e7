"""The service as a Starlette application."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from inferometer._core import Registry
from inferometer.asgi import TraceContext, metrics_routes
from inferometer.asgi.lifespan import lifespan_of
from inferometer.serve.cut_off import CutOff
from inferometer.serve.errors import RequestError
from inferometer.serve.fault_routes import fault_routes
from inferometer.serve.folders import folder_routes
from inferometer.serve.health_routes import service_health_routes
from inferometer.serve.index_page import index_routes
from inferometer.serve.infer_route import infer_routes
from inferometer.serve.limits import Limits
from inferometer.serve.replies import http_error, request_error, unexpected_error
from inferometer.serve.served_model import ServedModel
from inferometer.serve.service import Service

_LINKS = {
    "/metrics": "metrics",
    "/readyz": "readiness",
}


def create_app(
    models: Sequence[ServedModel],
    *,
    limits: Limits | None = None,
    allow_fault_injection: bool = False,
    drain_timeout: float = 30.0,
    registry: Registry | None = None,
    pages: Sequence[BaseRoute] = (),
    links: dict[str, str] | None = None,
) -> Starlette:
    """Makes the application that serves models.

    Args:
        models: What it serves. It drains and closes them when the server stops.
        limits: What it bounds; None: the defaults.
        allow_fault_injection: Whether ``/v2/models/NAME/faults`` is there. The caller sees to it
            that the server listens on loopback alone.
        drain_timeout: Seconds that accepted requests get to end when the server stops.
        registry: What ``/metrics`` shows; None: the default registry.
        pages: Further routes or mounts, such as a dashboard; a mount is found without its last
            slash too.
        links: What ``GET /`` says about them: by path, what is there.

    Returns:
        The application; its ``state.service`` is the ``Service``.
    """
    service = Service(models, limits or Limits())
    routes: list[BaseRoute] = [
        *infer_routes(service),
        *(fault_routes(service) if allow_fault_injection else ()),
        *service_health_routes(service),
        *metrics_routes(registry),
        *pages,
        *folder_routes(pages),
        *index_routes(service, {**_LINKS, **(links or {})}),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(CutOff), Middleware(TraceContext)],
        exception_handlers={
            RequestError: request_error,
            HTTPException: http_error,
            Exception: unexpected_error,
        },
        # The server may have waited before: the time is that of both.
        lifespan=lifespan_of(
            [model.engine for model in models],
            drain_timeout,
            lambda: service.time_left(drain_timeout),
        ),
    )
    app.state.service = service
    # A slash too many is another path, not one to be sent away from.
    app.router.redirect_slashes = False
    return app
