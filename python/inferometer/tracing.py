"""The trace that the present code runs for."""

from __future__ import annotations

from contextvars import ContextVar

trace_id: ContextVar[str | None] = ContextVar("inferometer_trace_id", default=None)
"""What requests take that name no trace id; set by ``inferometer.asgi.TraceContext``."""
