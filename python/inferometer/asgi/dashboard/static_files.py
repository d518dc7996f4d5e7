"""The page's own files, held in memory, with entity tags."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
# uPlot's own files, which scripts/fetch_page_assets.sh puts there.
CHARTS = ("vendor/uPlot.iife.min.js", "vendor/uPlot.min.css")
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class StaticFile:
    """A file as it is served."""

    body: bytes
    content_type: str
    etag: str


def read_files(folder: Path = FOLDER) -> dict[str, StaticFile]:
    """All files of kinds that a page consists of, by their path below the folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        content_type = _TYPES.get(path.suffix)
        if content_type is None or not path.is_file():
            continue
        body = path.read_bytes()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        found[path.relative_to(folder).as_posix()] = StaticFile(body, content_type, etag)
    return found
