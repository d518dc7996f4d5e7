"""Trace ids from W3C Trace Context headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inferometer.tracing import trace_id

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# version "-" trace-id "-" parent-id "-" flags; later versions may add fields. Hex is lower case;
# all zeros and version ff are invalid (www.w3.org/TR/trace-context, section 3.2).
_TRACEPARENT = re.compile(
    rb"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace_id>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}"
    rb"-[0-9a-f]{2}(?P<more>-.*)?"
)


def parse_traceparent(header: bytes) -> str | None:
    """The trace id of a ``traceparent`` header, None if the header is not valid.

    Args:
        header: Its value, any bytes.

    Returns:
        32 lower-case hexadecimal digits.
    """
    match = _TRACEPARENT.fullmatch(header.strip(b" \t"))
    if match is None or (match["version"] == b"00" and match["more"] is not None):
        return None
    return match["trace_id"].decode("ascii")


class TraceContext:
    """ASGI middleware: requests to engines carry the trace id of the HTTP request they are part of.

    The trace id comes from the W3C header ``traceparent`` and becomes the exemplar of the request's
    latency bucket. A request that has no such header, an invalid one, or several, carries none. It
    reaches tasks and threads that copy the context (``asyncio.create_task``,
    ``asyncio.to_thread``), and never outlives the HTTP request. ``trace_id=`` of a call wins.

    Args:
        app: The application, as in ``Starlette(middleware=[Middleware(TraceContext)])`` or
            ``app.add_middleware(TraceContext)``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one ASGI connection."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        found = [value for name, value in scope["headers"] if name.lower() == b"traceparent"]
        token = trace_id.set(parse_traceparent(found[0]) if len(found) == 1 else None)
        try:
            await self._app(scope, receive, send)
        finally:
            trace_id.reset(token)
