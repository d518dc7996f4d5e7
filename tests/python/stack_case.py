"""What the tests of the monitoring stack share: its programs, and what it leaves running."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferometer.monitoring.stack import binaries


def stack_tools() -> binaries.Tools:
    """The programs; the test is skipped where they cannot be had."""
    try:
        return binaries.find_or_fetch()
    except binaries.ToolsError as error:
        pytest.skip(f"Prometheus and Alertmanager could not be had: {error}")


def processes_of(text: str) -> list[str]:
    """The command lines, with pids, of running processes whose arguments contain a text."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if text in line:
                found.append(f"{process.name} {line}")
    return found
