"""Mounts without their last slash: ``/dashboard`` for ``/dashboard/``."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route


def folder_routes(pages: Sequence[BaseRoute]) -> list[Route]:
    """Routes that send a browser from a mount's path to the folder of that name.

    Args:
        pages: Routes and mounts; routes are passed over.
    """

    async def enter(request: Request) -> RedirectResponse:
        # Relative, so that it holds behind a proxy that serves this under another path.
        name = quote(request.scope["path"].rpartition("/")[2])
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{name}/{query}")

    return [Route(page.path, enter) for page in pages if isinstance(page, Mount) and page.path]
