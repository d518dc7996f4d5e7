"""Prometheus and Alertmanager of one's own, as processes of this machine."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from inferometer.monitoring.stack import binaries
from inferometer.monitoring.stack.configuration import (
    StackAddresses,
    StackSettings,
    file_names,
    write_configuration,
)
from inferometer.monitoring.stack.http_client import HttpError
from inferometer.monitoring.stack.ports import free_ports
from inferometer.monitoring.stack.processes import ManagedProcess
from inferometer.monitoring.stack.prometheus_api import AlertmanagerApi, PrometheusApi
from inferometer.monitoring.stack.relocation import runnable_alertmanager
from inferometer.monitoring.stack.stack_folder import StackFolder
from inferometer.monitoring.stack.waiting import wait_until

READY_SECONDS = 30.0
# Prometheus looks for targets, and for Alertmanagers, every five seconds.
DISCOVERY_SECONDS = 30.0
# An alert that fires before Prometheus knows its Alertmanager is sent again so much later.
_RESEND = "5s"
_PROMETHEUS_DATA, _ALERTMANAGER_DATA = "prometheus-data", "alertmanager-data"
_COMPLAINTS = ("level=warn", "level=error", "panic")


class LocalStack:
    """One Prometheus with rules and one Alertmanager, in a folder. Single-owner.

    Two objects on the same folder and ports speak of the same processes, which outlive both unless
    `stop` is called or ``with`` is left.

    Args:
        folder: For configuration, data, logs and pid files; made if it is not there.
        settings: What is scraped, which rules, how fast.
        webhook: The URL that gets every alert.
        prometheus_port: Of 127.0.0.1; None picks a free one.
        alertmanager_port: The same.
        tools: The programs; None: found, or fetched.
        ends_with_us: The processes are told to end when the thread that starts them does.

    Attributes:
        prometheus: What can be asked of the one.
        alertmanager: And of the other.
        settings: As they are now.
    """

    def __init__(
        self,
        folder: Path,
        settings: StackSettings,
        webhook: str,
        *,
        prometheus_port: int | None = None,
        alertmanager_port: int | None = None,
        tools: binaries.Tools | None = None,
        ends_with_us: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.settings = settings
        free = iter(free_ports(2))
        self._prometheus_port = prometheus_port or next(free)
        self._alertmanager_port = alertmanager_port or next(free)
        self.prometheus = PrometheusApi(f"http://127.0.0.1:{self._prometheus_port}")
        self.alertmanager = AlertmanagerApi(f"http://127.0.0.1:{self._alertmanager_port}")
        self.prometheus_process = ManagedProcess("prometheus", self.folder)
        self.alertmanager_process = ManagedProcess("alertmanager", self.folder)
        self._alertmanager_data = self.folder / _ALERTMANAGER_DATA
        self._addresses = StackAddresses(self._prometheus_port, self._alertmanager_port, webhook)
        self._tools = tools
        self._ends_with_us = ends_with_us
        self._generation = 0

    def __enter__(self) -> LocalStack:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def files(self) -> list[str]:
        """The names of what it keeps in its folder."""
        return [
            *self.prometheus_process.files,
            *self.alertmanager_process.files,
            *file_names(self.settings),
            _PROMETHEUS_DATA,
            _ALERTMANAGER_DATA,
        ]

    def start(self) -> None:
        """Starts both; returns when they can be asked. Whatever stops that stops both.

        Raises:
            FolderError: The folder has files of such names that no stack has written.
            ToolsError: The programs cannot be had.
            ProcessError: One has ended at once: its port is taken, a file is wrong.
            WaitError: One is not ready after half a minute.
            ValueError: Rules that are none, or cannot be divided.
        """
        tools = self._tools or binaries.find_or_fetch()
        StackFolder(self.folder).claim(self.files)
        self._configure(self.settings)
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self._start_alertmanager(tools)
            self.prometheus_process.start(
                [
                    tools.prometheus,
                    f"--config.file={self.folder}/prometheus.yml",
                    f"--storage.tsdb.path={self.folder}/{_PROMETHEUS_DATA}",
                    f"--storage.tsdb.retention.time={self.settings.retention}",
                    f"--web.listen-address=127.0.0.1:{self._prometheus_port}",
                    "--web.enable-lifecycle",
                    f"--rules.alert.resend-delay={_RESEND}",
                    *_web_assets(tools.prometheus),
                ],
                ends_with_us=self._ends_with_us,
            )
            self._wait(self.prometheus_process, self.prometheus.ready, READY_SECONDS)
            undo.pop_all()

    def stop(self) -> bool:
        """Ends both, Prometheus first. Returns whether any was running."""
        stopped = self.prometheus_process.stop()
        return self.alertmanager_process.stop() or stopped

    def wait_until_scraped(self, seconds: float | None = None) -> None:
        """Returns when every target has been scraped and Prometheus knows its Alertmanager.

        Args:
            seconds: How long that may take; None: half a minute and two scrape intervals.

        Raises:
            WaitError: Not in time; says which targets are up.
            ProcessError: Prometheus has ended.
        """
        if seconds is None:
            seconds = DISCOVERY_SECONDS + 2 * self.settings.scrape_seconds
        wanted = {(job, at) for job, targets in self.settings.targets.items() for at in targets}

        def up() -> set[tuple[str, str]]:
            self.prometheus_process.check()
            found = self.prometheus.get("targets", state="active")["activeTargets"]
            return {
                (target["scrapePool"], target["discoveredLabels"]["__address__"])
                for target in found
                if target["health"] == "up"
            }

        wait_until(up, lambda seen: seen >= wanted, f"scrapes of {sorted(wanted)}", seconds)
        wait_until(self.prometheus.knows_alertmanager, bool, "Alertmanager's discovery", seconds)

    def change(self, settings: StackSettings, *, anew: bool = True) -> None:
        """Has both go on with other settings, retention excepted.

        Args:
            settings: The other ones.
            anew: Alerts begin without the state that they have.

        Raises:
            ValueError: Rules that are none, or cannot be divided.
            HttpError: Rules that Prometheus refuses, with its reasons. The old ones go on.
        """
        before, self.settings = self.settings, settings
        self._generation += anew
        try:
            self._configure(settings)
            self.prometheus.reload()
            self.alertmanager.reload()
        except (HttpError, ValueError, OSError):
            self.settings = before
            self._configure(before)
            raise

    def use_rules(self, *rules: Path) -> None:
        """As `change`, for the rule files alone."""
        self.change(replace(self.settings, rules=rules))

    def begin_anew(self, settings: StackSettings) -> None:
        """As `change`, with a fresh Alertmanager: as if no alert had ever fired.

        Raises:
            ProcessError: It does not start.
            ValueError: As `change`.
            HttpError: As `change`.
        """
        self.alertmanager_process.stop()
        shutil.rmtree(self._alertmanager_data, ignore_errors=True)
        self._start_alertmanager(self._tools or binaries.find_or_fetch())
        self.change(settings)

    def complaints(self) -> list[str]:
        """What the logs have of warnings and errors."""
        lines = []
        for process in (self.prometheus_process, self.alertmanager_process):
            with contextlib.suppress(OSError):
                text = process.log.read_text(encoding="utf-8", errors="replace")
                lines += [
                    f"{process.name}: {line}"
                    for line in text.splitlines()
                    if any(word in line for word in _COMPLAINTS) and "SIGTERM" not in line
                ]
        return lines

    def _start_alertmanager(self, tools: binaries.Tools) -> None:
        alertmanager = runnable_alertmanager(tools.alertmanager)
        self.alertmanager_process.start(
            [
                alertmanager.program,
                f"--config.file={self.folder}/alertmanager.yml",
                f"--storage.path={self._alertmanager_data}",
                f"--web.listen-address=127.0.0.1:{self._alertmanager_port}",
                "--cluster.listen-address=",  # no peers to wait for
            ],
            folder=alertmanager.folder,
            ends_with_us=self._ends_with_us,
        )
        self._wait(self.alertmanager_process, self.alertmanager.ready, READY_SECONDS)

    def _configure(self, settings: StackSettings) -> None:
        generation = f" {self._generation}" if self._generation else ""
        write_configuration(self.folder, settings, self._addresses, generation)

    @staticmethod
    def _wait(process: ManagedProcess, ready: Callable[[], bool], seconds: float) -> None:
        def check() -> bool:
            process.check()
            return ready()

        wait_until(check, bool, f"{process.name} to be ready", seconds)


def _web_assets(prometheus: Path) -> list[str]:
    """Where Debian's package keeps its pages, which its program looks for in /usr/share."""
    pages = prometheus.parent.parent / "share/prometheus/web"
    if not (pages / "templates").is_dir() or pages == Path("/usr/share/prometheus/web"):
        return []
    return [f"--web.local-assets={pages}/"]
