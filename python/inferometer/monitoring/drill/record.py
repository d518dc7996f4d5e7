"""The record that a drill leaves, so that its result can be reproduced."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from inferometer.monitoring.stack.binaries import project_root

_PACKAGES = ("inferometer", "numpy", "onnx", "starlette", "uvicorn", "uvloop", "PyYAML")


def write_record(name: str, settings: Mapping[str, object], observed: object) -> Path:
    """Writes a record: to ``build/records`` in the project's sources, else to this folder.

    Args:
        name: Of the drill.
        settings: What was asked for.
        observed: What was seen.

    Returns:
        Its path.
    """
    root = project_root()
    folder = Path.cwd() if root is None else root / "build/records"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    prefix = "inferometer-drill" if root is None else "drill"
    path = folder / f"{prefix}-{name}-{stamp}-{os.getpid()}.json"
    content = {
        "kind": f"drill-{name}",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": None if root is None else _commit(root),
        "versions": _versions(),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "load_average": os.getloadavg()[0],
        },
        "device": "cpu",
        "settings": dict(settings),
        "observed": observed,
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _commit(root: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
