"""``GET /livez`` and ``GET /readyz``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request


class HasReadiness(Protocol):
    """An engine, or a batched function."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it accepts requests."""
        ...


def health_routes(*engines: HasReadiness) -> list[Route]:
    """Routes for liveness and readiness checks.

    ``/livez`` answers 200 while the process serves HTTP. ``/readyz`` answers 200 if every engine
    accepts requests, else 503; its body names the engines: ``{"ready": false, "engines":
    {"digits": false}}``.

    Args:
        engines: What has to be ready.

    Returns:
        Starlette routes.
    """

    async def livez(request: Request) -> JSONResponse:
        return JSONResponse({"live": True})

    async def readyz(request: Request) -> JSONResponse:
        state = {engine.name: engine.ready for engine in engines}
        ready = all(state.values())
        return JSONResponse({"ready": ready, "engines": state}, status_code=200 if ready else 503)

    return [
        Route("/livez", livez, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
    ]
