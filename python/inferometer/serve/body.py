"""Receiving request bodies: how large one may be, how large all together, how long it may take."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Generator
from types import TracebackType

import anyio
from starlette.requests import Request

from inferometer.serve.errors import STOPPING, RequestError, bad_request
from inferometer.serve.limits import Limits


class Bodies:
    """The bytes of all bodies that the service holds. Single-owner: one event loop's.

    Args:
        limits: What is allowed.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0
        self._arriving: set[anyio.CancelScope] = set()
        self._stop_by = math.inf

    @property
    def held(self) -> int:
        """Bytes of all bodies now."""
        return self._held

    def receive(self, request: Request) -> _Body:
        """To be entered while the body is needed: ``async with bodies.receive(request) as body``.

        Raises:
            RequestError: It is larger than allowed, takes too long, or is encoded.
            ClientDisconnect: The client has gone.
        """
        return _Body(self, self._limits, request)

    def stop(self) -> None:
        """Gives what still arrives little time: nobody is to hold up a service that stops."""
        self._stop_by = asyncio.get_running_loop().time() + self._limits.last_body_seconds
        for scope in self._arriving:
            scope.deadline = min(scope.deadline, self._stop_by)

    @contextlib.contextmanager
    def in_time(self) -> Generator[None, None, None]:
        """To be entered while a body arrives.

        Raises:
            RequestError: It takes too long.
        """
        seconds = self._limits.body_seconds
        end = min(asyncio.get_running_loop().time() + seconds, self._stop_by)
        with anyio.CancelScope(deadline=end) as scope:
            self._arriving.add(scope)
            try:
                yield
            finally:
                self._arriving.discard(scope)
        if scope.cancelled_caught:
            headers = {"Connection": "close"}
            if self._stop_by < math.inf:
                raise RequestError(503, STOPPING, headers)
            raise RequestError(408, f"the body took more than {seconds:g} s to arrive", headers)

    def take(self, count: int) -> None:
        """Counts bytes that arrived.

        Raises:
            RequestError: There is no room for them.
        """
        if self._held + count > self._limits.bodies_bytes:
            text = (
                f"the bodies of all requests together have more than {self._limits.bodies_bytes} "
                "bytes: try again later"
            )
            raise RequestError(503, text, {"Retry-After": "1"})
        self._held += count

    def give_back(self, count: int) -> None:
        """Uncounts them."""
        self._held -= count


class _Body:
    def __init__(self, bodies: Bodies, limits: Limits, request: Request) -> None:
        self._bodies = bodies
        self._limits = limits
        self._request = request
        self._count = 0

    async def __aenter__(self) -> bytes:
        self._check_head()
        try:
            with self._bodies.in_time():
                return await self._read()
        except BaseException:
            self._give_back()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._give_back()

    async def _read(self) -> bytes:
        chunks: list[bytes] = []
        async for chunk in self._request.stream():
            self._bodies.take(len(chunk))
            self._count += len(chunk)
            if self._count > self._limits.body_bytes:
                raise self._too_large()
            chunks.append(chunk)
        return b"".join(chunks)

    def _give_back(self) -> None:
        self._bodies.give_back(self._count)
        self._count = 0

    def _too_large(self) -> RequestError:
        return RequestError(
            413, f"the request body has more bytes than the limit, {self._limits.body_bytes}"
        )

    def _check_head(self) -> None:
        headers = self._request.headers
        encoding = headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            text = f"Content-Encoding {encoding[:40]!r} is not supported"
            raise RequestError(501, text, {"Accept-Encoding": "identity"})
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 20):
            raise bad_request(f"got Content-Length {length[:40]!r}, want a number")
        if int(length) > self._limits.body_bytes:
            raise self._too_large()
        json_length = headers.get("inference-header-content-length")
        if json_length is not None and json_length != length:
            raise bad_request("binary tensor data is not supported: send the whole body as JSON")
