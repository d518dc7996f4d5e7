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
        last_body_seconds: From the moment when the service begins to stop, likewise.
        json_nesting: How deep arrays and objects may be nested.
        inline_bytes: Bodies, and answers, up to this size are read and written by the event loop,
            larger ones by a thread.
    """

    body_bytes: int = 64 << 20
    bodies_bytes: int = 256 << 20
    body_seconds: float = 60.0
    last_body_seconds: float = 5.0
    json_nesting: int = 100
    inline_bytes: int = 64 << 10
