"""A part of a bench that runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

from comparison.progress import say
from comparison.samples import Collected


def run_part(
    module: str,
    collected: Collected,
    arguments: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Runs `python -m module`; its JSON lines are values, the others say how far it is.

    Args:
        module: Its dotted name.
        collected: Where its values go.
        arguments: What follows the module.
        environment: All of its environment; None: ours.

    Raises:
        SystemExit: It did not end with 0.
    """
    with subprocess.Popen(
        [sys.executable, "-m", module, *(arguments or [])],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("{"):
                collected.add_line(line)
            else:
                say(line.rstrip())
    if process.returncode != 0:
        raise SystemExit(f"{module} ended with {process.returncode}")
