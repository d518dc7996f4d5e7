"""Receiving small request bodies: how large one may be, and how long it may take to arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from starlette.requests import Request

# For a few kilobytes; nobody is to keep a connection, or a server that stops, for longer.
SECONDS = 10.0


class BodyError(Exception):
    """A body that is not taken.

    Attributes:
        status: What to answer.
        text: What it got and wanted.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


async def read_body(request: Request, most_bytes: int, seconds: float = SECONDS) -> bytes:
    """Reads a whole body.

    Args:
        request: Whose.
        most_bytes: That it may have.
        seconds: That it may take.

    Returns:
        The body.

    Raises:
        BodyError: It is larger, or takes longer.
        ClientDisconnect: The client has gone.
    """
    body = bytearray()
    try:
        with anyio.fail_after(seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > most_bytes:
                    raise BodyError(413, f"got a body of more than {most_bytes} bytes, want less")
    except TimeoutError:
        raise BodyError(408, f"the body took more than {seconds:g} s to arrive") from None
    return bytes(body)
