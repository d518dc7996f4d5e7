"""Where the programs of Prometheus and Alertmanager are."""

from __future__ import annotations

from pathlib import Path

from inferometer.monitoring.stack import binaries, relocation
from inferometer.testing.errors import ToolMissingError


def find(program: str) -> Path:
    """Finds a program in ``$INFEROMETER_TOOLS``, on ``PATH``, or where the stack has unpacked it.

    Args:
        program: ``"promtool"``, ``"amtool"``, ``"prometheus"`` or ``"alertmanager"``.

    Raises:
        ToolMissingError: It is nowhere.
    """
    try:
        return binaries.find_one(program)
    except binaries.ToolsError as missing:
        raise ToolMissingError(str(missing)) from None


def alertmanager() -> tuple[Path, Path | None]:
    """Alertmanager, and the folder that it has to run in; None: any.

    Raises:
        ToolMissingError: It is nowhere.
    """
    # Debian's finds its templates in one place only, unless it is installed.
    runnable = relocation.runnable_alertmanager(find("alertmanager"))
    return runnable.program, runnable.folder
