"""Where the programs of Prometheus and Alertmanager are."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from inferometer.testing.errors import ToolMissingError

# Debian's Alertmanager has another name than upstream's.
_NAMES = {"alertmanager": ("alertmanager", "prometheus-alertmanager")}


def find(program: str) -> Path:
    """Finds a program in ``$INFEROMETER_TOOLS``, on ``PATH``, or where the stack has unpacked it.

    Args:
        program: ``"promtool"``, ``"amtool"``, ``"prometheus"`` or ``"alertmanager"``.

    Raises:
        ToolMissingError: It is nowhere.
    """
    places = [os.environ.get("INFEROMETER_TOOLS", "")]
    places += os.environ.get("PATH", "").split(os.pathsep)
    for place in places:
        for name in _NAMES.get(program, (program,)):
            path = Path(place, name)
            if place and path.is_file() and os.access(path, os.X_OK):
                return path
    unpacked = _unpacked(program)
    if unpacked is None:
        raise ToolMissingError(
            f"{program}: got none in $INFEROMETER_TOOLS or on PATH, want the one of Prometheus "
            "2.42 or later (Debian: apt install prometheus prometheus-alertmanager)"
        )
    return unpacked


def alertmanager() -> tuple[Path, Path | None]:
    """Alertmanager, and the folder that it has to run in; None: any.

    Raises:
        ToolMissingError: It is nowhere.
    """
    program = find("alertmanager")
    try:
        # Debian's finds its templates in one place only, unless it is installed.
        relocation = importlib.import_module("inferometer.monitoring.stack.relocation")
    except ImportError:
        return program, None
    runnable = relocation.runnable_alertmanager(program.resolve())
    return runnable.program, runnable.folder


def _unpacked(program: str) -> Path | None:
    try:
        binaries = importlib.import_module("inferometer.monitoring.stack.binaries")
    except ImportError:
        return None
    try:
        found: Path = getattr(binaries.find(), program)
    except binaries.ToolsError:
        return None
    return found
