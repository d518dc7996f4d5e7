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
        accept: The scraper's ``Accept`` header, which chooses between text 0.0.4 and 1.0.0,
            OpenMetrics 1.0 and delimited protobuf. None, or nothing that exists: text 0.0.4, which
            every scraper takes.

    Returns:
        The body and its content type.

    Raises:
        ConfigError: If ``registry`` is not a registry.
    """
    # Whatever a header has that is no text is nothing we could be asked for.
    plain = (accept or "").encode("ascii", "replace").decode()
    body, content_type, _ = registry_to_render(registry).render(plain)
    return body, content_type


def render_response(
    registry: Registry | None, accept: str, accept_encoding: str
) -> tuple[bytes, dict[str, str]]:
    """As ``render_metrics``, gzipped where the client asks for it.

    Returns:
        The body and the HTTP headers that describe it.
    """
    body, content_type, encoding = registry_to_render(registry).render(accept, accept_encoding)
    headers = {"content-type": content_type, "vary": "accept, accept-encoding"}
    if encoding:
        headers["content-encoding"] = encoding
    return body, headers


def registry_to_render(registry: Registry | None) -> Registry:
    """The registry behind an option that names one to show.

    Raises:
        ConfigError: If it is ``NO_METRICS``, or no registry.
    """
    chosen = resolve_registry(registry)
    if chosen is None:
        raise ConfigError("registry: got NO_METRICS, want a Registry or None")
    return chosen
