"""What the monitoring files are written for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, get_args

from inferometer.monitoring.objectives import Objectives
from inferometer.monitoring.url_checks import check_url, is_host
from inferometer.monitoring.value_checks import (
    check_between,
    check_duration,
    check_match,
    check_port,
    config_error,
)

Format = Literal["compose", "local", "operator"]
FORMATS: tuple[Format, ...] = get_args(Format)

RUNBOOK_BASE = "https://github.com/inferometer/inferometer/blob/main/docs/runbooks"
# The shortest windows of the rules are one minute: two scrapes, four with the usual 15 s.
LONGEST_SCRAPE_INTERVAL = 30.0
LONGEST_SCRAPE = 10.0

# It stands in quotes, in PromQL and in YAML, and is a Kubernetes name in the operator's files.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_NAME_WANTED = "letters, digits, '.', '_' and '-', at most 63, a letter or digit at either end"


def _target_port(target: str) -> int:
    return int(target.rpartition(":")[2])


@dataclass(frozen=True)
class Settings:
    """What is watched, by whom, and where alerts go. Value type.

    Attributes:
        format: ``compose``: containers, with the inference service; ``local``: Prometheus and
            Alertmanager as programs on this machine; ``operator``: Kubernetes with the Prometheus
            operator.
        job: The job label of the targets; the rules select by it.
        targets: HOST:PORT of each metrics listener. None: ``triton:8002`` for ``compose``,
            ``127.0.0.1`` and the metrics port for ``local``. The operator finds them by label.
        environment: A label of the targets, as ``production``. None: no label; the example with
            several targets has ``production``.
        objectives: The thresholds.
        scrape_interval: Seconds.
        retention: How long Prometheus keeps samples, as ``15d``.
        runbook_base: What comes before ``/NAME.md`` in the alerts' ``runbook_url``.
        webhook_url: Where Alertmanager sends alerts. None: port 9099 of this machine.
        grafana_url: What comes before ``/d/UID`` in the alerts' ``dashboard_url``. None: the port
            below on this machine.
        http_port: The inference service on this machine.
        metrics_port: Its metrics.
        prometheus_port: Prometheus.
        alertmanager_port: Alertmanager.
        grafana_port: Grafana.

    Raises:
        ConfigError: A value that cannot be used.
    """

    format: Format = "compose"
    job: str = "triton"
    targets: tuple[str, ...] | None = None
    environment: str | None = None
    objectives: Objectives = field(default_factory=Objectives)
    scrape_interval: float = 15.0
    retention: str = "15d"
    runbook_base: str = RUNBOOK_BASE
    webhook_url: str | None = None
    grafana_url: str | None = None
    http_port: int = 8000
    metrics_port: int = 8002
    prometheus_port: int = 9090
    alertmanager_port: int = 9093
    grafana_port: int = 3000

    def __post_init__(self) -> None:
        """Checks the values."""
        if self.format not in FORMATS:
            raise config_error("format", self.format, " or ".join(map(repr, FORMATS)))
        check_match("job", self.job, _NAME, _NAME_WANTED)
        if self.environment is not None:
            check_match("environment", self.environment, _NAME, "letters, digits, '.', '_' and '-'")
        if not isinstance(self.objectives, Objectives):
            raise config_error("objectives", self.objectives, "inferometer.monitoring.Objectives")
        check_between("scrape_interval", self.scrape_interval, 0.001, math.inf, "seconds")
        if self.scrape_interval > LONGEST_SCRAPE_INTERVAL:
            raise config_error(
                "scrape_interval",
                self.scrape_interval,
                f"seconds, at most {LONGEST_SCRAPE_INTERVAL:g}: the rules look at windows of one "
                "minute",
            )
        check_duration("retention", self.retention)
        self._check_urls()
        self._check_ports()
        self._check_targets()

    def _check_urls(self) -> None:
        for option in ("runbook_base", "webhook_url", "grafana_url"):
            url = getattr(self, option)
            if url is not None or option == "runbook_base":
                check_url(option, url)

    def _check_ports(self) -> None:
        taken: dict[int, str] = {}
        for name in ("http", "metrics", "prometheus", "alertmanager", "grafana"):
            option = f"{name}_port"
            port = getattr(self, option)
            check_port(option, port)
            if port in taken:
                raise config_error(option, port, f"another port than {taken[port]}")
            taken[port] = option

    def _check_targets(self) -> None:
        if self.targets is None:
            return
        if isinstance(self.targets, str) or not self.targets:
            raise config_error("targets", self.targets, "a sequence of HOST:PORT, at least one")
        object.__setattr__(self, "targets", tuple(self.targets))
        if self.format == "operator":
            raise config_error(
                "targets", self.targets, "none with the format 'operator': a label selects them"
            )
        for target in self.targets:
            wanted = "HOST:PORT, as triton:8002"
            check_match("target", target, r".+:[0-9]{1,5}", wanted)
            if not is_host(target.rpartition(":")[0]):
                raise config_error("target", target, wanted)
            check_port(f"port of the target {target!r}", _target_port(target))
        if len(set(self.targets)) < len(self.targets):
            raise config_error("targets", self.targets, "each target once")

    @property
    def scrape_timeout(self) -> float:
        """Seconds after which a scrape has failed: the interval, at most Prometheus' default."""
        return min(self.scrape_interval, LONGEST_SCRAPE)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The targets, given or by the format."""
        if self.targets is not None:
            return self.targets
        return ("triton:8002",) if self.format == "compose" else (f"127.0.0.1:{self.metrics_port}",)
