"""The configuration files of a local stack: those that are shipped, with this machine's addresses.

What is shipped is for production. A local stack scrapes other targets, sends every alert to its own
webhook receiver, and may run in another time scale; nothing else is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferometer.monitoring.durations import milliseconds
from inferometer.monitoring.settings import LONGEST_SCRAPE_INTERVAL
from inferometer.monitoring.stack.scaled_rules import divided, scaled
from inferometer.monitoring.stack.stack_folder import StackFolder

SCRAPE_INTERVAL = "15s"
_RULES = ("prometheus-alerts.yml", "recording-rules.yml")
_WAITS = ("group_wait", "group_interval", "repeat_interval")
_JOB_INTERVALS = ("scrape_interval", "scrape_timeout")


def check_scrape_interval(text: str) -> None:
    """Refuses what the shipped rules cannot be scraped with.

    Raises:
        ValueError: No duration, or one out of range.
    """
    if not 1 < milliseconds(text) <= LONGEST_SCRAPE_INTERVAL * 1000:
        raise ValueError(
            f"got {text!r}, want more than 1ms and at most {LONGEST_SCRAPE_INTERVAL:g}s: the rules"
            " look at windows of one minute"
        )


def check_retention(text: str) -> None:
    """Refuses what Prometheus does not take for a time to keep samples.

    Raises:
        ValueError: No duration, or 0, which Prometheus takes for its default.
    """
    if not milliseconds(text):
        raise ValueError(f"got {text!r}, want a duration above 0")


@dataclass(frozen=True)
class StackSettings:
    """What a local stack does.

    Attributes:
        targets: ``host:port`` by job.
        rules: Rule files; empty: those that are shipped.
        scrape_interval: As Prometheus writes it, before it is divided.
        factor: Every duration, the scrape interval too, is divided by it.
        retention: How long Prometheus keeps samples, as it writes it.
        thresholds: Of the shipped alerts, by the names in `inferometer.monitoring.Objectives`.
    """

    targets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rules: Sequence[Path] = ()
    scrape_interval: str = SCRAPE_INTERVAL
    factor: int = 1
    retention: str = "7d"
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.factor < 1:
            raise ValueError(f"factor: got {self.factor}, want a whole number from 1")
        for name, check in (
            ("scrape_interval", check_scrape_interval),
            ("retention", check_retention),
        ):
            try:
                check(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    @property
    def scrape_seconds(self) -> float:
        """The time between two scrapes, as they are made."""
        return milliseconds(self.scrape_interval) / 1000 / self.factor


@dataclass(frozen=True)
class StackAddresses:
    """Where the parts of a local stack are.

    Attributes:
        prometheus_port: Of 127.0.0.1.
        alertmanager_port: The same.
        webhook: The URL that gets every alert.
    """

    prometheus_port: int
    alertmanager_port: int
    webhook: str


def file_names(settings: StackSettings) -> list[str]:
    """What `write_configuration` writes: the files, and each while it is being written."""
    names = ["prometheus.yml", "alertmanager.yml", *_rule_names(settings)]
    return [*names, *map(_part, names)]


def _rule_names(settings: StackSettings) -> list[str]:
    return [f"rules-{number}.yml" for number, _ in enumerate(settings.rules)] or [*_RULES]


def _part(name: str) -> str:
    return f"{name}.part"


def write_configuration(
    folder: Path, settings: StackSettings, addresses: StackAddresses, generation: str = ""
) -> None:
    """Writes ``prometheus.yml``, ``alertmanager.yml`` and the rules next to them.

    Args:
        folder: Where to; it exists.
        settings: What the stack does.
        addresses: Where its parts are.
        generation: Appended to the name of each group of rules: a group of another name begins
            without the state of an earlier one.

    Raises:
        ImportError: PyYAML is not here.
        ConfigError: A scrape interval or a threshold out of range.
        ValueError: Rules that cannot be divided, or are none.
        OSError: A rule file cannot be read.
        FolderError: A file of such a name is there, and no stack has written it.
    """
    yaml = _yaml()
    shipped = _shipped(settings, addresses)
    files: dict[str, Any] = {}
    texts = [path.read_text(encoding="utf-8") for path in settings.rules]
    rules = dict(
        zip(
            _rule_names(settings),
            texts or [shipped[name] for name in _RULES],
            strict=True,
        )
    )
    for (name, text), path in zip(rules.items(), settings.rules or _RULES, strict=True):
        try:
            files[name] = _rules(yaml.safe_load(text), settings.factor, generation)
        except (yaml.YAMLError, ValueError) as error:
            raise ValueError(f"{path}: {error}") from None
    prometheus = _prometheus(yaml.safe_load(shipped["prometheus.yml"]), settings)
    files["prometheus.yml"] = prometheus | {"rule_files": list(rules)}
    routing = yaml.safe_load(shipped["alertmanager.yml"])
    files["alertmanager.yml"] = routing | {"route": _faster(routing["route"], settings.factor)}
    StackFolder(folder).claim(file_names(settings))
    for name, content in files.items():
        # Replaced as a whole: a reload never meets half a file.
        part = folder / _part(name)
        part.write_text(yaml.safe_dump(content, sort_keys=False, width=1000), encoding="utf-8")
        part.replace(folder / name)


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise ImportError(
            "a local monitoring stack needs PyYAML: pip install 'inferometer[monitoring]'"
        ) from None
    return yaml


def _shipped(settings: StackSettings, addresses: StackAddresses) -> dict[str, str]:
    from inferometer.monitoring import Objectives, Settings
    from inferometer.monitoring.files import render

    # What these files do not name has to differ all the same.
    taken = (addresses.prometheus_port, addresses.alertmanager_port)
    grafana, http, metrics = [port for port in (3000, *range(1, 5)) if port not in taken][:3]
    local = Settings(
        format="local",
        objectives=Objectives(**settings.thresholds),
        scrape_interval=milliseconds(settings.scrape_interval) / 1000,
        prometheus_port=addresses.prometheus_port,
        alertmanager_port=addresses.alertmanager_port,
        webhook_url=addresses.webhook,
        http_port=http,
        metrics_port=metrics,
        grafana_port=grafana,
    )
    return {name: render(name, local) for name in ("prometheus.yml", "alertmanager.yml", *_RULES)}


def _rules(rules: Any, factor: int, generation: str) -> dict[str, Any]:
    if not isinstance(rules, dict) or not isinstance(rules.get("groups"), list):
        raise ValueError("got a file without 'groups', want Prometheus rules")
    for group in rules["groups"]:
        group["name"] += generation
    return scaled(rules, factor) if factor > 1 else rules


def _prometheus(config: dict[str, Any], settings: StackSettings) -> dict[str, Any]:
    interval = divided(settings.scrape_interval, settings.factor)
    first, *others = config["scrape_configs"]
    watched = [
        {key: value for key, value in first.items() if key not in _JOB_INTERVALS}
        | {"job_name": job, "static_configs": [first["static_configs"][0] | {"targets": [*at]}]}
        for job, at in settings.targets.items()
    ]
    return config | {
        "global": config["global"]
        | {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": interval,
        },
        "scrape_configs": [*watched, *others],
    }


def _faster(route: Mapping[str, Any], factor: int) -> dict[str, Any]:
    changed = dict(route)
    for wait in _WAITS:
        # Alertmanager refuses 0 for some, and asks for no more precision than this.
        if wait in changed and milliseconds(changed[wait]) > 0:
            changed[wait] = f"{max(milliseconds(changed[wait]) // factor, 1)}ms"
    if "routes" in changed:
        changed["routes"] = [_faster(inner, factor) for inner in changed["routes"]]
    return changed
