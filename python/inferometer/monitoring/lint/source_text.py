"""Reading the files that are checked: bounded, and with a message instead of a traceback."""

from __future__ import annotations

from pathlib import Path

MAX_BYTES = 4_000_000


class SourceError(ValueError):
    """A file that cannot be checked at all.

    Attributes:
        line: Where, from 1.
    """

    def __init__(self, message: str, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


def read_source(path: Path) -> str:
    """The text of a file.

    Raises:
        SourceError: If it cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a path with a NUL
        raise SourceError(f"cannot be read: {error}") from None
    if len(content) > MAX_BYTES:
        raise SourceError(f"got more than {MAX_BYTES} bytes, want a smaller file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError("got bytes that are not UTF-8, want UTF-8", line) from None
