"""What a service bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what clients can make the service hold or do.

    Attributes:
        body_bytes: Of one request's body.
        bodies_bytes: Of all bodies that are being received, read or served.
        body_seconds: From a request's head to the end of its body.
        json_nesting: How deep arrays and objects may be nested.
        inline_bytes: Bodies, and answers, up to this size are read and written by the event loop,
            larger ones by a thread.
        held_requests: Per model without dynamic_batching: requests that wait until one of several
            rows has been served.
    """

    body_bytes: int = 64 << 20
    bodies_bytes: int = 256 << 20
    body_seconds: float = 60.0
    json_nesting: int = 100
    inline_bytes: int = 64 << 10
    held_requests: int = 1024
