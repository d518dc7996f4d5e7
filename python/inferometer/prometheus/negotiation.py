"""What an ``Accept`` and an ``Accept-Encoding`` header ask for."""

from __future__ import annotations

import re
from typing import NamedTuple

from inferometer.prometheus.escaping import ESCAPING_SCHEMES, UNDERSCORES

_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,3}")


def parse_version(text: str) -> tuple[int, ...] | None:
    """``1.0.0`` as numbers; None if it is no version."""
    if _VERSION.fullmatch(text) is None:
        return None
    return tuple(map(int, text.split(".")))


class MediaRange(NamedTuple):
    """One of the formats in an ``Accept`` header; `version` is empty if there is no valid one."""

    media_type: str
    version: str
    escaping: str

    @property
    def is_modern(self) -> bool:
        """Whether it asks for version 1.0.0 or later."""
        return (parse_version(self.version) or (0,)) >= (1, 0, 0)


def _media_range(text: str) -> MediaRange:
    media_type, *parameters = (part.strip() for part in text.split(";"))
    found: dict[str, str] = {}
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if equals:
            found.setdefault(key, value)
    version = found.get("version", "")
    escaping = found.get("escaping", UNDERSCORES)
    return MediaRange(
        media_type,
        version if parse_version(version) else "",
        escaping if escaping in ESCAPING_SCHEMES else UNDERSCORES,
    )


def media_ranges(accept_header: str | None) -> list[MediaRange]:
    """The formats that an ``Accept`` header names, in its order: q-values do not count."""
    return [_media_range(text) for text in (accept_header or "").split(",")]


def gzip_accepted(accept_encoding_header: str | None) -> bool:
    """Whether an ``Accept-Encoding`` header names gzip."""
    codings = (accept_encoding_header or "").split(",")
    return any(coding.split(";")[0].strip().lower() == "gzip" for coding in codings)
