"""What ``scripts/setup_monitoring.sh`` was asked for, kept for its next run and for live drills."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from inferometer.monitoring.stack.binaries import project_root
from inferometer.monitoring.stack.service import ServiceAddress

STATE_FILE = "setup.json"


@dataclass(frozen=True)
class SetupState:
    """The ports and options of a stack on this machine.

    Attributes:
        http_port: The inference service.
        metrics_port: Its native metrics listener.
        prometheus_port: Prometheus.
        alertmanager_port: Alertmanager.
        webhook_port: The receiver that logs alerts.
        repository: The models that are served.
        retention: How long Prometheus keeps samples.
        scrape_interval: Between two scrapes.
        with_load: Whether digits are sent all the time.
    """

    http_port: int
    metrics_port: int
    prometheus_port: int
    alertmanager_port: int
    webhook_port: int
    repository: str
    retention: str
    scrape_interval: str
    with_load: bool

    @property
    def ports(self) -> Mapping[str, int]:
        """The ports by what listens there."""
        return {
            "inference service": self.http_port,
            "metrics of the service": self.metrics_port,
            "Prometheus": self.prometheus_port,
            "Alertmanager": self.alertmanager_port,
            "webhook receiver": self.webhook_port,
        }

    @property
    def service(self) -> ServiceAddress:
        """Where the service is."""
        return ServiceAddress(self.http_port, self.metrics_port)

    def save(self, folder: Path) -> None:
        """Writes it into the folder of the stack."""
        text = json.dumps(asdict(self), indent=1) + "\n"
        (folder / STATE_FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> SetupState | None:
        """Reads it from the folder of a stack; None if there is none."""
        try:
            known = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
            return cls(**{each.name: known[each.name] for each in fields(cls)})
        except (OSError, ValueError, KeyError, TypeError):
            return None


def default_folder() -> Path | None:
    """Where the script keeps its stack: in the project's sources; None outside of them."""
    root = project_root()
    return None if root is None else root / "build/monitoring"
