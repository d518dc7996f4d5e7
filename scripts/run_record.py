"""Records of runs, so that a result can be reproduced: build/records/KIND-TIME.json.

    python scripts/run_record.py KIND [NAME=VALUE ...] < observed.json

A record holds versions, machine, device, data path, settings and what was observed.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("inferometer", "numpy", "onnx", "scikit-learn", "starlette", "uvicorn", "uvloop")


def package_versions() -> dict[str, str]:
    """Returns the versions of the packages that are installed."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def machine() -> dict[str, object]:
    """Returns what matters about this machine."""
    cpu = platform.processor()
    memory = 0
    cpuinfo, meminfo = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                cpu = line.partition(":")[2].strip()
                break
    if meminfo.exists():
        memory = int(meminfo.read_text(encoding="utf-8").split()[1]) * 1024
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": memory,
        "kernel": platform.release(),
        "libc": "-".join(platform.libc_ver()),
        "load_average_before": os.getloadavg()[0],
    }


def commit() -> str:
    """Returns the commit of the sources, with a plus sign if they differ from it."""
    git = ["git", "-C", str(ROOT)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        dirty = subprocess.run([*git, "diff", "--quiet", "HEAD"], check=False).returncode
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head.stdout.strip() + ("+" if dirty else "")


def write(
    kind: str,
    settings: Mapping[str, object],
    observed: object,
    *,
    device: str = "cpu",
    data: str = "",
) -> Path:
    """Writes a record and returns its path."""
    content = {
        "kind": kind,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": commit(),
        "versions": package_versions(),
        "machine": machine(),
        "device": device,
        "data": data,
        "settings": dict(settings),
        "observed": observed,
    }
    folder = ROOT / "build/records"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path = folder / f"{kind}-{stamp}-{os.getpid()}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    pairs = dict(argument.split("=", 1) for argument in sys.argv[2:])
    print(write(sys.argv[1], pairs, json.load(sys.stdin)).relative_to(ROOT))
