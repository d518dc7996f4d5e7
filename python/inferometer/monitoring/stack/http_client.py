"""Small HTTP requests to servers on this machine, without a proxy."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

# What the environment says about proxies is about other machines.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class HttpError(OSError):
    """No answer, or one that is no success.

    Attributes:
        status: Of the answer; None without one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def fetch(url: str, method: str = "GET", content: Any = None, seconds: float = 5.0) -> bytes:
    """The body of the answer.

    Args:
        url: Where.
        method: How.
        content: Sent as JSON unless None.
        seconds: How long one step of the exchange may take.

    Raises:
        HttpError: No answer in time, or a status other than 2xx.
    """
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, body, method=method)
    if body is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with _OPENER.open(request, timeout=seconds) as reply:
            answer: bytes = reply.read()
            return answer
    except urllib.error.HTTPError as error:
        with error:
            text = error.read(500).decode(errors="replace").strip()
        raise HttpError(f"{method} {url}: {error.code} {text}", error.code) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise HttpError(f"{method} {url}: {reason}") from None


def fetch_json(url: str, method: str = "GET", content: Any = None, seconds: float = 5.0) -> Any:
    """As `fetch`, the body read as JSON.

    Raises:
        HttpError: As `fetch`, or the body is no JSON.
    """
    body = fetch(url, method, content, seconds)
    try:
        return json.loads(body)
    except ValueError:
        raise HttpError(f"{method} {url}: got {body[:80]!r}, want JSON") from None


def answers(url: str) -> bool:
    """Whether GET on the URL is a success now."""
    try:
        fetch(url, seconds=2.0)
    except HttpError:
        return False
    return True
