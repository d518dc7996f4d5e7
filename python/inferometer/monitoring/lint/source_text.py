"""Reading the files that are checked: bounded, and with a message instead of a traceback."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

MAX_BYTES = 4_000_000
# What is no file, as a pipe, may be filled by nobody.
_WAIT_SECONDS = 5.0


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
        content = _content(path)
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


def _content(path: Path) -> bytes:
    """The first bytes of a file, one more than there may be."""
    # Of a pipe that nobody writes to, opening alone would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            _wait(descriptor)
        content = b""
        while len(content) <= MAX_BYTES and (piece := file.read(MAX_BYTES + 1)) != b"":
            if piece is None:
                _wait(descriptor)
            else:
                content += piece
    return content


def _wait(descriptor: int) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    if not poll.poll(_WAIT_SECONDS * 1000):
        raise TimeoutError(f"nothing came for {_WAIT_SECONDS:g} s, and it is no file: want a file")
