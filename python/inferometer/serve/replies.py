"""Replies in JSON, as Triton's errors are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from inferometer.serve.errors import RequestError


def json_reply(
    content: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A reply of JSON in ASCII: what clients sent may hold text that has no UTF-8 form."""
    return Response(json.dumps(content), status, headers, "application/json")


def error_reply(error: RequestError) -> Response:
    """``{"error": text}``."""
    return json_reply({"error": error.text}, error.status, error.headers)


async def request_error(request: Request, error: Exception) -> Response:
    """Answers a ``RequestError`` that a route raised."""
    assert isinstance(error, RequestError)
    return error_reply(error)


async def http_error(request: Request, error: Exception) -> Response:
    """Answers unknown paths and methods."""
    assert isinstance(error, HTTPException)
    return json_reply({"error": error.detail}, error.status_code, error.headers)


async def unexpected_error(request: Request, error: Exception) -> Response:
    """Answers what should not have happened; the server logs it."""
    return json_reply({"error": "internal error, see the service's log"}, 500)
