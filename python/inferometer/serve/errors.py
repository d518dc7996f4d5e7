"""What is answered instead of an answer: Triton's texts and codes."""

from __future__ import annotations

import math

from inferometer._core import (
    ClosedError,
    ConfigError,
    DeadlineExceededError,
    DTypeError,
    InputError,
    ModelError,
    QueueFullError,
    ShapeError,
)

STOPPING = "Server is stopping, scheduler for model has stopped accepting new inference requests"


class RequestError(Exception):
    """A request that gets no answer.

    Attributes:
        status: The HTTP status.
        text: For ``{"error": text}``.
        headers: Of the reply.
    """

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.headers = headers or {}


class MisfitError(RequestError):
    """A request that is one, but does not fit its model. Triton puts its id before the text."""

    def __init__(self, text: str, request_id: str | None = None) -> None:
        super().__init__(400, text if request_id is None else f"{_prefix(request_id)}{text}")


def bad_request(text: str) -> RequestError:
    """A request that is wrong in itself."""
    return RequestError(400, text)


def _prefix(request_id: str) -> str:
    return f"[request id: {request_id or '<id_unknown>'}] "


def unknown_model(name: str, version: str | None = None) -> RequestError:
    """A request for a model that is not here."""
    of_version = "" if version is None else f" version {version}"
    return RequestError(404, f"Request for unknown model: '{name}'{of_version} is not found")


def engine_error(error: Exception, request_id: str) -> RequestError | None:
    """What to answer where the engine has refused or failed a request.

    Args:
        error: What it raised.
        request_id: The client's own; empty if it gave none.

    Returns:
        The answer; None for an error that is not the engine's.
    """
    prefix = _prefix(request_id)
    if isinstance(error, QueueFullError):
        headers = {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
        return RequestError(503, f"{prefix}Exceeds maximum queue size", headers)
    if isinstance(error, DeadlineExceededError):
        return RequestError(503, "Request timeout expired")
    if isinstance(error, ClosedError):
        return RequestError(503, prefix + STOPPING)
    if isinstance(error, ShapeError | DTypeError | InputError | ConfigError):
        return RequestError(400, f"{prefix}{error}")
    if isinstance(error, ModelError):
        return RequestError(500, f"{prefix}{error}")
    if isinstance(error, MemoryError):
        return RequestError(503, f"{prefix}there is no memory for this request")
    return None
