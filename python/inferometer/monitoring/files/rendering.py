"""The templates of this folder, filled in."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from inferometer.monitoring.files.placeholders import values
from inferometer.monitoring.settings import Settings
from inferometer.monitoring.value_checks import config_error

if TYPE_CHECKING:
    from importlib.abc import Traversable

_PLACE = re.compile(r"@\{([a-z_]+)\}")
_RULES = ("prometheus-alerts.yml", "recording-rules.yml")
_LOCAL = (
    "prometheus.yml",
    "prometheus-multi-target.yml",
    *_RULES,
    "alertmanager.yml",
    "grafana/datasources/prometheus.yml",
    "grafana/dashboards/dashboard.yml",
)
_OPERATOR = ("servicemonitor.yaml", "prometheusrule.yaml", "alertmanagerconfig.yaml")


def _template(name: str) -> Traversable:
    found: Traversable = resources.files(__package__)
    for part in name.split("/"):
        found = found / part
    return found


def _dashboards() -> list[str]:
    """The dashboards are finished files: they are copied as they are."""
    folder = "grafana/dashboards"
    return sorted(
        f"{folder}/{found.name}"
        for found in _template(folder).iterdir()
        if found.name.endswith(".json")
    )


def names(settings: Settings) -> list[str]:
    """The files of a format, as paths below the folder that they are written to."""
    if settings.format == "operator":
        return [*_OPERATOR, *_dashboards()]
    containers = ["docker-compose.yaml", "Dockerfile"] if settings.format == "compose" else []
    return [*containers, *_LOCAL, *_dashboards()]


def _filled(text: str, filling: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: filling[place[1]], text)


def _rule_groups(filling: dict[str, str]) -> str:
    """The groups of both rule files, two levels deeper, without the comments before them."""
    lines = []
    for name in _RULES:
        text = _filled(_template(name).read_text(encoding="utf-8"), filling)
        _, _, groups = text.partition("groups:\n")
        lines += [f"  {line}" if line else line for line in groups.splitlines()]
    return "\n".join(lines)


def render(name: str, settings: Settings) -> str:
    """The text of one file.

    Args:
        name: One of ``names(settings)``.
        settings: What it is written for.

    Raises:
        ConfigError: The format has no such file.
    """
    if name not in names(settings):
        raise config_error("name", name, f"one of {', '.join(names(settings))}")
    template = f"operator/{name}" if name in _OPERATOR else name
    text = _template(template).read_text(encoding="utf-8")
    if name.endswith(".json"):
        return text
    filling = values(settings)
    if name == "prometheusrule.yaml":
        filling["rule_groups"] = _rule_groups(filling)
    return _filled(text, filling).rstrip("\n") + "\n"
