"""The stack that ``scripts/setup_monitoring.sh`` runs where there is no Docker engine."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

from inferometer.monitoring.stack import ports
from inferometer.monitoring.stack.configuration import StackSettings
from inferometer.monitoring.stack.http_client import answers
from inferometer.monitoring.stack.local_stack import LocalStack
from inferometer.monitoring.stack.processes import ManagedProcess
from inferometer.monitoring.stack.service import Service
from inferometer.monitoring.stack.setup_state import STATE_FILE, SetupState
from inferometer.monitoring.stack.stack_folder import StackFolder
from inferometer.monitoring.stack.waiting import wait_until
from inferometer.monitoring.stack.webhook import put_aside

READY_SECONDS = 60.0
LOAD_RATE = 20.0
_NOTIFICATIONS = "notifications.jsonl"


class SetupStack:
    """Service, Prometheus, Alertmanager, webhook receiver and load as processes. Single-owner.

    Args:
        folder: For everything: configuration, logs, pid files, data.
        state: Ports and options.
        say: Is told what happens.
    """

    def __init__(self, folder: Path, state: SetupState, say: Callable[[str], None]) -> None:
        self.folder = folder
        self.state = state
        self.service = Service(
            folder,
            Path(state.repository),
            state.service,
            prometheus_url=f"http://127.0.0.1:{state.prometheus_port}",
        )
        self.webhook = ManagedProcess("webhook", folder)
        self.load = ManagedProcess("load", folder)
        self.local = LocalStack(
            folder,
            StackSettings(
                targets={"triton": [state.service.target]},
                scrape_interval=state.scrape_interval,
                retention=state.retention,
            ),
            self.webhook_url + "/",
            prometheus_port=state.prometheus_port,
            alertmanager_port=state.alertmanager_port,
        )
        self._say = say

    @property
    def webhook_url(self) -> str:
        """Where Alertmanager sends alerts."""
        return f"http://127.0.0.1:{self.state.webhook_port}"

    @property
    def processes(self) -> dict[str, ManagedProcess]:
        """What runs, in the order of starting."""
        return {
            "service": self.service.process,
            "webhook": self.webhook,
            "alertmanager": self.local.alertmanager_process,
            "prometheus": self.local.prometheus_process,
            "load": self.load,
        }

    def busy_ports(self) -> list[str]:
        """What is in the way, one line a port."""
        return [
            f"port {port} ({what}) is taken by {ports.holder(port)}"
            for what, port in self.state.ports.items()
            if not ports.is_free(port)
        ]

    def claim(self) -> None:
        """Notes what it writes as a stack's.

        Raises:
            FolderError: The folder has files of such names that no stack has written.
        """
        names = [STATE_FILE, _NOTIFICATIONS, put_aside(_NOTIFICATIONS), *self.local.files]
        for process in self.processes.values():
            names += process.files
        StackFolder(self.folder).claim(names)

    def start(self) -> None:
        """Starts all and returns when the first scrape is in. Whatever stops that stops all.

        Raises:
            FolderError: As `claim`; nothing is started then.
            ProcessError: One has ended at once.
            WaitError: One is not ready in time.
            ToolsError: The programs cannot be had.
        """
        self.claim()
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self.state.save(self.folder)
            self._say("starting the inference service")
            self.service.start()
            self._say("starting Alertmanager, its webhook receiver and Prometheus")
            self._start_webhook()
            self.local.start()
            if self.state.with_load:
                self._say(f"starting a load of {LOAD_RATE:g} requests a second")
                self._start_load()
            self._say("waiting for the first scrape (five seconds, and up to one scrape interval)")
            self.local.wait_until_scraped()
            if self.state.with_load:
                self.load.check()
            undo.pop_all()

    def stop(self) -> list[str]:
        """Ends what runs, in this order: load, Prometheus, Alertmanager, webhook, service.

        Returns:
            The names of what was running.
        """
        stopped: list[str] = []

        def end(name: str, process: ManagedProcess) -> None:
            if process.stop():
                stopped.append(name)

        with contextlib.ExitStack() as rest:  # one that cannot be stopped keeps none from it
            for name, process in self.processes.items():
                rest.callback(end, name, process)
        return stopped

    def reset(self) -> None:
        """Ends what runs and forgets it all: data, logs, configuration.

        Raises:
            FolderError: The folder is no stack's; nothing is ended or deleted then.
        """
        folder = StackFolder(self.folder)
        folder.check()
        self.stop()
        folder.delete()

    def _start_webhook(self) -> None:
        self.webhook.start(
            [
                sys.executable,
                "-m",
                "inferometer.monitoring.stack.webhook",
                f"--port={self.state.webhook_port}",
                f"--log={self.folder}/{_NOTIFICATIONS}",
            ]
        )

        def ready() -> bool:
            self.webhook.check()
            return answers(f"{self.webhook_url}/notifications?since=0")

        wait_until(ready, bool, "the webhook receiver to be ready", READY_SECONDS)

    def _start_load(self) -> None:
        self.load.start(
            [
                sys.executable,
                "-m",
                "inferometer.monitoring.stack.steady_load",
                f"--url={self.state.service.url}",
                f"--rate={LOAD_RATE:g}",
            ]
        )
