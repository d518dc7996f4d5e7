"""How names that Prometheus 2 does not know are written: as the scraper asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from inferometer.prometheus.validation import is_legacy_label_name, is_legacy_metric_name

ALLOWUTF8: Final = "allow-utf-8"
"""Quoted, as they are."""
UNDERSCORES: Final = "underscores"
"""Each character that is not allowed becomes an underscore."""
DOTS: Final = "dots"
"""Dots become ``_dot_``, underscores and the rest ``__``."""
VALUES: Final = "values"
"""``U__`` and the code of each character that is not allowed: can be undone."""

ESCAPING_SCHEMES: Final = (ALLOWUTF8, UNDERSCORES, DOTS, VALUES)


def escape_text(text: str) -> str:
    """Backslash, newline and double quote with a backslash in front, as inside quotes."""
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def escape_help(text: str) -> str:
    """Backslash and newline with a backslash in front, as in the HELP lines of the text format."""
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _by_dots(character: str) -> str:
    return "_dot_" if character == "." else "__"


def _by_value(character: str) -> str:
    if character == "_":
        return "__"
    code = ord(character)
    return "_FFFD_" if 0xD800 <= code <= 0xDFFF else f"_{code:x}_"


def _replaced(name: str, extra: str, replace: Callable[[str], str], also: str = "") -> str:
    """`name` with everything replaced that is not allowed, or is among `also`."""

    def allowed(position: int, character: str) -> bool:
        if character in also or not character.isascii():
            return False
        digit = character.isdigit() and position > 0
        return character.isalpha() or character == "_" or digit or character in extra

    return "".join(
        character if allowed(position, character) else replace(character)
        for position, character in enumerate(name)
    )


def _escape_name(name: str, escaping: str, legacy: bool, extra: str) -> str:
    if not name or (legacy and escaping != DOTS):
        return name
    if escaping == ALLOWUTF8:
        return f'"{escape_text(name)}"'
    if escaping == UNDERSCORES:
        return _replaced(name, extra, lambda _: "_")
    if escaping == DOTS:
        return _replaced(name, extra, _by_dots, also="_")
    if escaping == VALUES:
        return "U__" + _replaced(name, extra, _by_value, also="_")
    return name


def escape_metric_name(s: str, escaping: str = UNDERSCORES) -> str:
    """A metric's or sample's name in the scheme `escaping`."""
    return _escape_name(s, escaping, is_legacy_metric_name(s), ":")


def escape_label_name(s: str, escaping: str = UNDERSCORES) -> str:
    """A label's name in the scheme `escaping`."""
    return _escape_name(s, escaping, is_legacy_label_name(s), "")


def sample_head(name: str, labels: dict[str, str], escaping: str) -> str:
    """Name and labels of a sample, the labels sorted; label values may be any Unicode."""
    pairs = [
        f'{escape_label_name(key, escaping)}="{escape_text(value)}"'
        for key, value in sorted(labels.items())
    ]
    written = escape_metric_name(name, escaping)
    if written.startswith('"'):  # a name in quotes goes inside the braces
        return "{" + ",".join([written, *pairs]) + "}"
    return f"{written}{{{','.join(pairs)}}}" if pairs else written
