"""``process_*``: memory, CPU time and file descriptors of a process, from /proc."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterable
from pathlib import Path

from inferometer.prometheus.families import CounterMetricFamily, GaugeMetricFamily
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry


class ProcessCollector:
    """Shows a process; nothing where there is no /proc.

    Args:
        namespace: In front of the names.
        pid: Says which process.
        proc: Where /proc is.
        registry: Where to register; None: nowhere.
    """

    def __init__(
        self,
        namespace: str = "",
        pid: Callable[[], int | str] = lambda: "self",
        proc: str = "/proc",
        registry: CollectorRegistry | None = REGISTRY,
    ) -> None:
        self._prefix = f"{namespace}_process_" if namespace else "process_"
        self._pid = pid
        self._proc = Path(proc)
        self._ticks = float(os.sysconf("SC_CLK_TCK"))
        self._page = resource.getpagesize()
        try:
            self._boot_time = self._read_boot_time()
        except OSError:
            self._boot_time = 0.0
        if registry:
            registry.register(self)

    def _read_boot_time(self) -> float:
        for line in (self._proc / "stat").read_bytes().splitlines():
            if line.startswith(b"btime "):
                return float(line.split()[1])
        return 0.0

    def collect(self) -> Iterable[Metric]:
        """The families that can be read."""
        if not self._boot_time:
            return
        folder = self._proc / str(self._pid()).strip()
        for read in (self._times_and_memory, self._descriptors):
            try:
                yield from read(folder)
            except OSError:  # gone, or not ours to read
                continue

    def _gauge(self, name: str, documentation: str, value: float) -> Metric:
        return GaugeMetricFamily(self._prefix + name, documentation, value)

    def _times_and_memory(self, folder: Path) -> list[Metric]:
        # The name of the program, in parentheses, may contain anything. Numbers as in proc(5),
        # counted from the one after it, which is number 3.
        fields = (folder / "stat").read_bytes().rpartition(b")")[2].split()

        def field(number: int) -> float:
            return float(fields[number - 3])

        return [
            self._gauge("virtual_memory_bytes", "Virtual memory size in bytes.", field(23)),
            self._gauge(
                "resident_memory_bytes",
                "Resident memory size in bytes.",
                field(24) * self._page,
            ),
            self._gauge(
                "start_time_seconds",
                "Start time of the process since unix epoch in seconds.",
                self._boot_time + field(22) / self._ticks,
            ),
            CounterMetricFamily(
                self._prefix + "cpu_seconds_total",
                "Total user and system CPU time spent in seconds.",
                (field(14) + field(15)) / self._ticks,
            ),
        ]

    def _descriptors(self, folder: Path) -> list[Metric]:
        families = [
            self._gauge(
                "open_fds", "Number of open file descriptors.", len(os.listdir(folder / "fd"))
            )
        ]
        for line in (folder / "limits").read_bytes().splitlines():
            if line.startswith(b"Max open files"):
                limit = line.split()[3]
                value = float("inf") if limit == b"unlimited" else float(limit)
                families.append(
                    self._gauge("max_fds", "Maximum number of open file descriptors.", value)
                )
        return families


PROCESS_COLLECTOR = ProcessCollector(registry=None)
"""The one in ``REGISTRY``, where the native families of these names stand for it."""

REGISTRY.adopt(
    PROCESS_COLLECTOR,
    (
        "process_virtual_memory_bytes",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
    ),
)
