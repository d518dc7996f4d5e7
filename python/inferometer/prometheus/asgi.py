"""An ASGI app that serves a registry."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from inferometer.prometheus.registry import REGISTRY, Collector

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


async def _answer_lifespan(receive: _Receive, send: _Send) -> None:
    """Nothing to start and nothing to stop."""
    while True:
        phase = (await receive())["type"]
        await send({"type": f"{phase}.complete"})
        if phase == "lifespan.shutdown":
            return


def make_asgi_app(
    registry: Collector = REGISTRY, disable_compression: bool = False
) -> Callable[[_Message, _Receive, _Send], Awaitable[None]]:
    """An ASGI app that serves a registry at any path, rendering on the event loop.

    ``inferometer.asgi.metrics_routes()`` renders on a thread instead.
    """

    async def app(scope: _Message, receive: _Receive, send: _Send) -> None:
        # Looked up at each scrape: exposition imports this module.
        from inferometer.prometheus import exposition

        if scope["type"] == "lifespan":
            return await _answer_lifespan(receive, send)
        if scope["type"] != "http":
            raise ValueError(f"ASGI scope: got type {scope['type']!r}, want 'http'")

        def header(wanted: bytes) -> str:
            values = (value for name, value in scope["headers"] if name.lower() == wanted)
            return ",".join(value.decode("latin-1") for value in values)

        status, headers, body = exposition._bake_output(
            registry,
            header(b"accept"),
            header(b"accept-encoding"),
            parse_qs(scope.get("query_string", b"").decode("latin-1")),
            disable_compression,
        )
        if (await receive())["type"] != "http.request":
            return None
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        start = {"type": "http.response.start", "status": int(status[:3]), "headers": encoded}
        await send(start)
        await send({"type": "http.response.body", "body": body})
        return None

    return app
