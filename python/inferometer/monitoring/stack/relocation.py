"""Debian's Alertmanager where it was only unpacked.

The program reads its templates from ``/usr/share/prometheus/alertmanager``, has no option for that,
and does not start without them. Without root nothing can be put there. A copy of the program is
made in which that path reads ``.//////…``, of the same length, and is run in the folder where the
templates were unpacked.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from inferometer.monitoring.stack.binaries import cache_folder

_SHARED = "/usr/share/prometheus/alertmanager"
_TEMPLATE = "default.tmpl"


@dataclass(frozen=True)
class Runnable:
    """A program and the folder to run it in; None: any."""

    program: Path
    folder: Path | None = None


def runnable_alertmanager(program: Path, system: Path = Path(_SHARED)) -> Runnable:
    """What to run for an Alertmanager that was found.

    Args:
        program: The Alertmanager.
        system: Where the program looks for its templates.

    Returns:
        The program itself if it is installed, or is none of Debian's; else a copy, which is kept in
        `cache_folder` for the next time.
    """
    unpacked = program.parent.parent / _SHARED.removeprefix("/usr/")
    if (system / _TEMPLATE).exists() or not (unpacked / _TEMPLATE).exists():
        return Runnable(program)
    seen = program.stat()
    key = f"{program} {seen.st_size} {seen.st_mtime_ns}"
    name = f"alertmanager-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    copy = cache_folder() / "relocated" / name
    if not copy.exists():
        content = program.read_bytes()
        if _SHARED.encode() not in content:
            return Runnable(program)
        here = "." + "/" * (len(_SHARED) - 1)
        _write(copy, content.replace(_SHARED.encode(), here.encode()))
    return Runnable(copy, unpacked)


def _write(path: Path, content: bytes) -> None:
    """Writes a program as a whole or not at all: others may do the same at this moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(part, 0o755)
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
