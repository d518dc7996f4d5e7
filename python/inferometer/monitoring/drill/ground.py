"""Where a drill takes place: a stack, a service, and how to make trouble there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from inferometer.monitoring.drill.fake_gpu import FakeGpu
from inferometer.monitoring.stack.configuration import StackSettings
from inferometer.monitoring.stack.local_stack import LocalStack
from inferometer.monitoring.stack.ports import free_ports
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.prometheus_api import PrometheusApi
from inferometer.monitoring.stack.service import Service, ServiceAddress, has_drill_model
from inferometer.monitoring.stack.setup_stack import SetupStack
from inferometer.monitoring.stack.setup_state import SetupState
from inferometer.monitoring.stack.stack_folder import StackFolder
from inferometer.monitoring.stack.webhook import Notification, Webhook, notifications_at

TIME_SCALE = 60
_GPU_MEMORY = "nv_gpu_memory_used_bytes / nv_gpu_memory_total_bytes"


@dataclass
class Ground:
    """A running stack.

    Attributes:
        prometheus: Its Prometheus.
        service: Its service, which can be stopped and started.
        notifications: What its webhook got, from a number on.
        first: The number of the first notification that is about this drill.
        time_scale: What durations of rules are divided by.
        fill_gpu: Has GPU memory look nearly used up (True), or not (False); None: it cannot.
    """

    prometheus: PrometheusApi
    service: Service
    notifications: Callable[[int], Sequence[Notification]]
    first: int = 0
    time_scale: int = 1
    fill_gpu: Callable[[bool], None] | None = None

    @property
    def address(self) -> ServiceAddress:
        """Where the service is."""
        return self.service.address


@contextlib.contextmanager
def own_ground(folder: Path, repository: Path, fake_nvml: Path | None) -> Iterator[Ground]:
    """A stack of the drill's own on free ports, with rules in another time scale.

    Args:
        folder: For everything that it writes.
        repository: The models that are served beside the one for drills.
        fake_nvml: What the service reads GPUs from, in place of NVIDIA's library.

    Raises:
        FolderError: The folder has files of such names that no stack has written.
        ProcessError: Something has ended at once, or a stack runs in the folder.
        WaitError: Something is not ready in time.
        ToolsError: Prometheus or Alertmanager cannot be had.
    """
    address = ServiceAddress(*free_ports(2))
    gpu = None if fake_nvml is None else FakeGpu(fake_nvml, folder / "gpu.ini")
    environment = None if gpu is None else gpu.environment
    service = Service(folder, repository, address, environment=environment, ends_with_us=True)
    settings = StackSettings(targets={"triton": [address.target]}, factor=TIME_SCALE)
    with Webhook() as webhook, contextlib.ExitStack() as stack:
        local = LocalStack(folder, settings, f"{webhook.url}/", ends_with_us=True)
        for process in (service.process, local.prometheus_process, local.alertmanager_process):
            running = process.identity
            if running is not None:
                raise ProcessError(
                    f"{process.name} of another stack runs in {folder}, pid {running.pid}: stop it,"
                    " or take another folder"
                )
        own = [] if gpu is None else gpu.files
        StackFolder(folder).claim([*service.process.files, *local.files, *own])
        if gpu is not None:
            gpu.fill(False)
        stack.callback(service.stop)
        service.start()
        # Prometheus ends before the service: its last scrapes are no failures.
        stack.enter_context(local)
        local.wait_until_scraped()
        fill_gpu = partial(_lower_limit, local) if gpu is None else gpu.fill
        yield Ground(local.prometheus, service, webhook.since, 0, TIME_SCALE, fill_gpu)


def _lower_limit(local: LocalStack, full: bool) -> None:
    """A real GPU's memory is left alone: the alert's limit is put below what is in use."""
    thresholds = {}
    if full:
        used = local.prometheus.value(f"max({_GPU_MEMORY})")
        if not used:
            raise ProcessError(f"{_GPU_MEMORY} is {used}, want a GPU with memory in use")
        thresholds = {"gpu_memory": used / 2}
    local.change(replace(local.settings, thresholds=thresholds), anew=False)


def live_ground(folder: Path) -> Ground:
    """The stack that ``scripts/setup_monitoring.sh`` has started.

    Args:
        folder: Where it is kept.

    Raises:
        ProcessError: It does not run, or is not fit for drills.
        HttpError: It runs and does not answer.
    """
    state = SetupState.load(folder)
    if state is None:
        raise ProcessError(
            f"no stack in {folder}: start one with scripts/setup_monitoring.sh, or name its folder"
            " with --folder"
        )
    stack = SetupStack(folder, state, lambda text: None)
    for name, process in stack.processes.items():
        if name != "load" and process.identity is None:
            raise ProcessError(f"{name} of the stack in {folder} does not run; see --status")
    if not has_drill_model(state.service):
        raise ProcessError(f"the service on {state.service.url} has no model for drills")
    known = notifications_at(stack.webhook_url)
    return Ground(
        stack.local.prometheus,
        stack.service,
        lambda since: notifications_at(stack.webhook_url, since),
        first=known[-1].number + 1 if known else 0,
    )
