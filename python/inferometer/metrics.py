"""The process-wide registry and the exposition."""

from __future__ import annotations

import enum
from typing import Final, Literal

from inferometer._core import ConfigError, Registry


class _NoMetrics(enum.Enum):
    NO_METRICS = "no metrics"


NO_METRICS: Final = _NoMetrics.NO_METRICS
"""``registry=im.NO_METRICS``: nothing is recorded (what overhead is measured against)."""

RegistryOption = Registry | Literal[_NoMetrics.NO_METRICS] | None

CONTENT_TYPE_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"

_default = Registry(monitors=True)


def default_registry() -> Registry:
    """The registry that ``registry=None`` means, one a process; it has all monitors."""
    return _default


def resolve_registry(registry: RegistryOption) -> Registry | None:
    """The registry behind an option; None where nothing is to be recorded.

    Raises:
        ConfigError: If it is neither a registry, None nor ``NO_METRICS``.
    """
    if registry is None:
        return _default
    if registry is NO_METRICS:
        return None
    if not isinstance(registry, Registry):
        raise ConfigError(
            f"registry: got {type(registry).__name__}, want a Registry, None or NO_METRICS"
        )
    return registry


def render_metrics(
    registry: Registry | None = None, accept: str | None = None
) -> tuple[bytes, str]:
    """Renders a registry's metrics; releases the GIL while it does.

    Args:
        registry: What to render; None: the default registry.
        accept: The scraper's ``Accept`` header. Text 0.0.4, which every scraper takes, is the only
            format so far and is given whatever is asked for.

    Returns:
        The body and its content type.

    Raises:
        ConfigError: If ``registry`` is not a registry.
    """
    del accept
    chosen = resolve_registry(registry)
    if chosen is None:
        raise ConfigError("registry: got NO_METRICS, want a Registry or None")
    return chosen.render_text(), CONTENT_TYPE_TEXT
