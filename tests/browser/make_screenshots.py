"""Runs what the pictures of the documentation show: models under load, scraped by Prometheus.

    python tests/browser/make_screenshots.py docs/images --prometheus build/tools/prometheus/usr/bin

scripts/screenshots.sh calls it, with all that it needs in place.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/python"))

from page_stack import MissingToolError, browser_tools, run_node, running_stack  # noqa: E402


def main() -> None:
    """Waits until there is something to see, then takes the pictures."""
    parser = argparse.ArgumentParser(description="Take the pictures of the documentation.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=10.0, help="of load before the pictures")
    parser.add_argument("--prometheus", type=Path, required=True, help="the folder of its binary")
    arguments = parser.parse_args()
    try:
        tools = browser_tools()
    except MissingToolError as error:
        sys.exit(f"{error}")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_stack(arguments.prometheus, Path(folder), 3) as stack,
    ):
        print(f"under load for {arguments.minutes:g} minutes", flush=True)
        time.sleep(arguments.minutes * 60)
        pictures = str(arguments.folder.resolve())
        print(run_node("screenshots.mjs", pictures, environment={**tools, **stack}), end="")


if __name__ == "__main__":
    main()
