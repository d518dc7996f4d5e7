"""Keeps pytest quiet about this environment's editable install of inferometer.

The package is a plugin of pytest, which rewrites the asserts of every file of a plugin's
distribution. The loader of an editable install is one, and is imported before pytest: each run
of pytest warns that it comes too late. A module whose docstring says PYTEST_DONT_REWRITE is left
alone.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

MARK = '"""The loader of an editable install. PYTEST_DONT_REWRITE: it has no asserts."""\n'


def mark(loader: Path) -> None:
    """Has a loader's docstring say so."""
    text = loader.read_text(encoding="utf-8")
    if not text.startswith(MARK):
        loader.write_text(MARK + text, encoding="utf-8")


def main() -> None:
    """Marks the loader of the environment whose Python runs this."""
    for file in importlib.metadata.files("inferometer") or []:
        if file.name.startswith("_editable") and file.suffix == ".py":
            mark(Path(str(file.locate())))


if __name__ == "__main__":
    main()
