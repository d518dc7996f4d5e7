"""Health: KServe's paths, and those of Kubernetes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferometer.asgi import health_routes
from inferometer.serve.service import Service


class _Readiness:
    """One model's readiness, which ends when the service begins to stop."""

    def __init__(self, service: Service, name: str) -> None:
        self._service = service
        self.name = name

    @property
    def ready(self) -> bool:
        """Whether it wants requests."""
        return not self._service.stopping and self._service.models[self.name].ready


def service_health_routes(service: Service) -> list[Route]:
    """``/v2/health/live|ready``, ``/v2/models/NAME/ready``; ``/livez`` and ``/readyz``.

    KServe's answer 200 or, as Triton's do, 400 with an empty body.
    """

    async def live(request: Request) -> Response:
        return Response()

    async def ready(request: Request) -> Response:
        return Response(status_code=200 if service.ready else 400)

    async def model_ready(request: Request) -> Response:
        model = service.find(request)
        return Response(status_code=200 if model.ready and not service.stopping else 400)

    return [
        Route("/v2/health/live", live, methods=["GET"]),
        Route("/v2/health/ready", ready, methods=["GET"]),
        Route("/v2/models/{name}/ready", model_ready, methods=["GET"]),
        Route("/v2/models/{name}/versions/{version}/ready", model_ready, methods=["GET"]),
        *health_routes(*(_Readiness(service, name) for name in service.models)),
    ]
