"""Numbers as the text formats write them."""

from __future__ import annotations

from typing import Any

from inferometer import _core

INF = float("inf")


def float_text(value: Any) -> str:
    """The text of a number, the way Go and so Prometheus writes it: ``1.0``, ``1e+06``, ``+Inf``.

    Raises:
        TypeError: If it is no number.
        ValueError: If it is text that is none.
    """
    return _core.float_text(float(value))
