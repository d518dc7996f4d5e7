"""The configuration files of a local stack: those that are shipped, with this machine's addresses.

What is shipped is for production. A local stack scrapes other targets, sends every alert to its own
webhook receiver, and may run in another time scale; nothing else is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.monitoring.stack.scaled_rules import divided, milliseconds, scaled

SCRAPE_INTERVAL = "15s"
# Alertmanager refuses 0 for the last two, and 0 of a duration is 0 in any time scale.
_WAITS = ("group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True)
class StackSettings:
    """What a local stack does.

    Attributes:
        targets: ``host:port`` by job.
        rules: Rule files; empty: those that are shipped.
        scrape_interval: As Prometheus writes it, before it is divided.
        factor: Every duration, the scrape interval too, is divided by it.
        retention: How long Prometheus keeps samples, as it writes it.
    """

    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rules: Sequence[Path] = ()
    scrape_interval: str = SCRAPE_INTERVAL
    factor: int = 1
    retention: str = "7d"

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ValueError(f"factor: got {self.factor}, want a whole number from 1")
        for name in ("scrape_interval", "retention"):
            try:
                milliseconds(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    @property
    def scrape_seconds(self) -> float:
        """The time between two scrapes as they are made."""
        return milliseconds(self.scrape_interval) / 1000 / self.factor


def shipped(name: str) -> str:
    """The text of a configuration file that comes with the package."""
    root = Path(__file__).resolve().parents[4]
    if name == "prometheus-alerts.yml":
        return (root / "configs" / name).read_text(encoding="utf-8")
    return _MINIMAL[name]


_MINIMAL = {
    "prometheus.yml": """
global: {scrape_interval: 15s, evaluation_interval: 15s}
scrape_configs: [{job_name: triton, static_configs: [{targets: ["127.0.0.1:8002"]}]}]
rule_files: [prometheus-alerts.yml]
""",
    "alertmanager.yml": """
route: {receiver: webhook, group_by: [alertname, job, model_name],
  group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: webhook, webhook_configs: [{url: "http://127.0.0.1:9099/"}]}]
""",
}


def write_configuration(
    folder: Path, settings: StackSettings, alertmanager: str, webhook: str, generation: str = ""
) -> None:
    """Writes ``prometheus.yml``, ``alertmanager.yml`` and the rules next to them.

    Args:
        folder: Where to; it exists.
        settings: What the stack does.
        alertmanager: Its ``host:port``.
        webhook: The URL that gets every alert.
        generation: Appended to the name of each group of rules: a group of another name begins
            without the state of an earlier one.

    Raises:
        ValueError: Rules that cannot be divided, or are none.
        OSError: A rule file cannot be read.
    """
    yaml = _yaml()
    rule_files = []
    for number, text in enumerate(_rule_texts(settings)):
        rules = yaml.safe_load(text)
        if not isinstance(rules, dict) or not isinstance(rules.get("groups"), list):
            raise ValueError("got a file without 'groups', want Prometheus rules")
        for group in rules["groups"]:
            group["name"] += generation
        if settings.factor > 1:
            rules = scaled(rules, settings.factor)
        rule_files.append(f"rules-{number}.yml")
        _write(folder / rule_files[-1], rules)

    prometheus = yaml.safe_load(shipped("prometheus.yml"))
    _write(
        folder / "prometheus.yml",
        _prometheus(prometheus, settings, alertmanager) | {"rule_files": rule_files},
    )
    routing = yaml.safe_load(shipped("alertmanager.yml"))
    _write(folder / "alertmanager.yml", _alertmanager(routing, settings.factor, webhook))


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise ImportError(
            "a local monitoring stack needs PyYAML: pip install 'inferometer[monitoring]'"
        ) from None
    return yaml


def _write(path: Path, content: Mapping[str, Any]) -> None:
    # JSON is YAML. Replaced as a whole: a reload never meets half a file.
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def _rule_texts(settings: StackSettings) -> list[str]:
    if settings.rules:
        return [path.read_text(encoding="utf-8") for path in settings.rules]
    return [shipped("prometheus-alerts.yml")]


def _prometheus(
    config: dict[str, Any], settings: StackSettings, alertmanager: str
) -> dict[str, Any]:
    interval = divided(settings.scrape_interval, settings.factor)
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    # A job that is not shipped is scraped as the first that is.
    like = config["scrape_configs"][0]
    changed = [
        {key: value for key, value in jobs.get(name, like).items() if key not in _INTERVALS}
        | {"job_name": name, "static_configs": _static(jobs.get(name, like), targets)}
        for name, targets in settings.targets.items()
    ]
    return config | {
        "global": config.get("global", {})
        | {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "scrape_configs": changed,
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
    }


_INTERVALS = ("scrape_interval", "scrape_timeout")


def _static(job: Mapping[str, Any], targets: Sequence[str]) -> list[dict[str, Any]]:
    labels = job["static_configs"][0].get("labels", {})
    return [{"targets": list(targets), "labels": labels}]


def _alertmanager(config: dict[str, Any], factor: int, webhook: str) -> dict[str, Any]:
    receivers = [
        {
            "name": receiver["name"],
            "webhook_configs": [{"url": webhook, "send_resolved": True}],
        }
        for receiver in config["receivers"]
    ]
    return config | {"route": _faster(config["route"], factor), "receivers": receivers}


def _faster(route: Mapping[str, Any], factor: int) -> dict[str, Any]:
    changed = dict(route)
    for wait in _WAITS:
        if wait in changed and re.search("[1-9]", changed[wait]):
            changed[wait] = divided(changed[wait], factor)
    if "routes" in changed:
        changed["routes"] = [_faster(inner, factor) for inner in changed["routes"]]
    return changed
