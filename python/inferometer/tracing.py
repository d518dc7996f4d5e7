"""The trace that the present code runs for."""

from __future__ import annotations

from inferometer._core import trace_id

__all__ = ["trace_id"]
# What requests take that name no trace id; set by ``inferometer.asgi.TraceContext``. The native
# methods read it themselves.
