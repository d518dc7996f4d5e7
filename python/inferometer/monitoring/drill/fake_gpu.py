"""A GPU whose readings a drill can change: a stand-in for NVIDIA's library that reads a file."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping
from pathlib import Path

NVML = "libnvidia-ml.so.1"
_BEGIN = "nvmlInit_v2"  # what is called first of it
_TOTAL = 80 << 30
_FULL, _QUIET = 0.98, 0.25
_SCRIPT = """\
[gpu]
uuid = GPU-00000000-0000-0000-0000-000000000001
utilization = {utilization}
memory_total = {total}
memory_used = {used}
memory_reserved = 0
"""


class FakeGpu:
    """The file that a fake NVML reads, and how a process is told of both. Single-owner.

    Args:
        library: The fake NVML.
        script: Its file; `fill` writes it.

    Attributes:
        files: The names of what is written, beside each other.
    """

    def __init__(self, library: Path, script: Path) -> None:
        self._library = library.absolute()
        self._script = script.absolute()
        self._part = script.with_name(f"{script.name}.part").absolute()
        self.files = (script.name, self._part.name)

    @property
    def environment(self) -> Mapping[str, str]:
        """For the process that is to see this GPU."""
        return {
            "INFEROMETER_NVML_LIBRARY": str(self._library),
            "FAKE_NVML_SCRIPT": str(self._script),
        }

    def fill(self, full: bool) -> None:
        """Has nearly all of its memory in use from now on, or a quarter."""
        used = _FULL if full else _QUIET
        text = _SCRIPT.format(
            utilization=round(used * 100), total=_TOTAL, used=round(_TOTAL * used)
        )
        self._part.write_text(text, encoding="utf-8")
        self._part.replace(self._script)  # a reader that meets half a file believes it


def why_no_nvml(library: Path) -> str | None:
    """Why a file is no NVML that a service could load; None if it is one."""
    try:
        loaded = ctypes.CDLL(str(library.absolute()))
    except OSError as error:
        return str(error)
    return None if hasattr(loaded, _BEGIN) else f"it has no {_BEGIN}"


def driver_is_here() -> bool:
    """Whether NVIDIA's library can be loaded."""
    try:
        ctypes.CDLL(os.environ.get("INFEROMETER_NVML_LIBRARY") or NVML)
    except OSError:
        return False
    return True
