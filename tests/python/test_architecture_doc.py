"""docs/architecture.md has one line for each source file."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("cpp/src", "cpp/bindings", "python/inferometer")


def listed() -> set[str]:
    """The files that the page names: ``arena.h .cc`` below ``### `cpp/src/base` `` is two."""
    files = set()
    folder = ""
    for line in (ROOT / "docs" / "architecture.md").read_text().splitlines():
        if heading := re.fullmatch(r"### `(.+)`", line):
            folder = heading[1]
        elif line.startswith("#"):
            folder = ""
        elif folder and (row := re.match(r"\| `([^`]+)` \|", line)):
            first, *suffixes = row[1].split()
            files.add(f"{folder}/{first}")
            files |= {f"{folder}/{first.rpartition('.')[0]}{suffix}" for suffix in suffixes}
    return files


def test_every_source_file_has_its_line() -> None:
    there = {
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".h", ".cc", ".cu", ".py", ".pyi", ".typed"}
    }
    assert there - listed() == set(), "files without a line"
    assert listed() - there == set(), "lines without a file"
