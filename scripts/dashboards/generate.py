#!/usr/bin/env python3
"""Writes the Grafana dashboards that the package ships, or checks that they are up to date.

Usage: scripts/dashboards/generate.py [--check]

Needs grafana-foundation-sdk==0.0.21 (Python 3.11 or later). Without that pin, pip installs a
version for an older Grafana.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.inference.dashboard import inference_dashboard
from dashboards.leftovers import without_leftovers
from dashboards.triton.dashboard import triton_dashboard

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "python/inferometer/monitoring/files/grafana/dashboards"


def generated() -> dict[str, str]:
    """The files by name."""
    return {
        "triton-dashboard.json": _text(triton_dashboard()),
        "inference-dashboard.json": _text(inference_dashboard()),
    }


def _text(dashboard: Dashboard) -> str:
    plain = without_leftovers(json.loads(json.dumps(dashboard, cls=JSONEncoder)))
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Returns the exit status: 1 if ``--check`` found a difference."""
    parser = argparse.ArgumentParser(description="Write the Grafana dashboards.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    stale = 0
    for name, text in generated().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"{path.relative_to(ROOT)} is out of date: run {sys.argv[0]}")
            stale = 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    return stale


if __name__ == "__main__":
    sys.exit(main())
