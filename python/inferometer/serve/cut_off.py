"""Answering requests that the server gives up because its time to stop is over."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inferometer.serve.errors import STOPPING, RequestError
from inferometer.serve.replies import error_reply


class CutOff:
    """Middleware: a request that the server cancels is answered with 503.

    uvicorn answers 500 in plain text and logs a traceback.

    Args:
        app: The application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if scope["type"] != "http" or started:
                raise
            reply = error_reply(RequestError(503, STOPPING, {"Connection": "close"}))
            await reply(scope, receive, send)
