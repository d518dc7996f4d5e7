"""The inference service as a process: ``inferometer serve``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inferometer.monitoring.stack.http_client import HttpError, answers, fetch
from inferometer.monitoring.stack.processes import ManagedProcess
from inferometer.monitoring.stack.stack_folder import StackFolder
from inferometer.monitoring.stack.waiting import wait_until

# A model repository may hold much to load.
READY_SECONDS = 120.0
DRILL_MODEL = "drill"


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service listens on this machine."""

    http_port: int
    metrics_port: int

    @property
    def url(self) -> str:
        """Of the KServe paths."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def target(self) -> str:
        """The metrics, as Prometheus names them."""
        return f"127.0.0.1:{self.metrics_port}"

    def infer_url(self, model: str) -> str:
        """Where requests to a model go."""
        return f"{self.url}/v2/models/{model}/infer"


class Service:
    """``inferometer serve`` with faults that can be injected and a model for them. Single-owner.

    Args:
        folder: For its log and pid file.
        repository: The models that it serves, beside one named ``drill``.
        address: Its ports.
        environment: Added to this process' environment.
        prometheus_url: The Prometheus that its page asks; None: its own history.
        ends_with_us: It is told to end when the thread that starts it does.
    """

    def __init__(
        self,
        folder: Path,
        repository: Path,
        address: ServiceAddress,
        *,
        environment: Mapping[str, str] | None = None,
        prometheus_url: str | None = None,
        ends_with_us: bool = False,
    ) -> None:
        self.address = address
        self.process = ManagedProcess("service", folder)
        self._folder = StackFolder(folder)
        self._repository = repository
        self._environment = environment
        self._page = [f"--prometheus-url={prometheus_url}"] if prometheus_url else []
        self._ends_with_us = ends_with_us

    def start(self) -> None:
        """Starts it; returns when every model is ready. Whatever stops that stops it.

        Raises:
            ProcessError: It has ended at once; with the end of its log.
            WaitError: It is not ready after two minutes.
            FolderError: The folder has a log that no stack has written.
        """
        self._folder.claim(self.process.files)
        self.process.start(
            [
                sys.executable,
                "-m",
                "inferometer",
                "serve",
                self._repository,
                f"--http-port={self.address.http_port}",
                f"--metrics-port={self.address.metrics_port}",
                "--allow-fault-injection",
                f"--delay-model={DRILL_MODEL}",
                *self._page,
            ],
            self._environment,
            ends_with_us=self._ends_with_us,
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.process.stop()
            raise

    def wait_until_ready(self) -> None:
        """Returns when every model is ready."""

        def ready() -> bool:
            self.process.check()
            return answers(f"{self.address.url}/v2/health/ready") and answers(
                f"http://{self.address.target}/metrics"
            )

        wait_until(ready, bool, "the service to be ready", READY_SECONDS)

    def stop(self) -> bool:
        """Ends it: what it has accepted is answered first. Returns whether it was running."""
        return self.process.stop(45.0)


def inject(address: ServiceAddress, model: str, fault: Mapping[str, object]) -> None:
    """Injects a fault into a model.

    Raises:
        HttpError: The service does not allow that, or the fault is none.
    """
    fetch(f"{address.url}/v2/models/{model}/faults", "POST", dict(fault))


def clear_faults(address: ServiceAddress, model: str) -> None:
    """Takes back the faults of a model.

    Raises:
        HttpError: The service does not answer.
    """
    fetch(f"{address.url}/v2/models/{model}/faults", "DELETE")


def has_drill_model(address: ServiceAddress) -> bool:
    """Whether a running service has the model for faults."""
    try:
        fetch(f"{address.url}/v2/models/{DRILL_MODEL}/ready")
    except HttpError:
        return False
    return True
