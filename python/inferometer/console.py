"""How commands print and end: any text can be printed, and output that is lost is told once."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys

_READABLE = "inferometer.readable"
# What timelines are drawn with, where there is only ASCII.
_PLAIN = {"\u00b7": ".", "\u2592": "-", "\u2588": "#"}


def _readable(error: UnicodeError) -> tuple[str | bytes, int]:
    if isinstance(error, UnicodeEncodeError):
        plain = _PLAIN.get(error.object[error.start])
        if plain is not None:
            return plain, error.start + 1
    return codecs.backslashreplace_errors(error)


def make_readable() -> None:
    """From now on, what standard output's encoding does not have is written as plain text.

    A terminal's encoding is the user's affair, and so are names of files: neither ends a command.
    """
    codecs.register_error(_READABLE, _readable)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_READABLE)


def finish(name: str, status: int, error: Exception | None = None, *, lines: bool = False) -> int:
    """Ends a command: says what went wrong, or that its output was lost.

    Args:
        name: Of the command, before each message.
        status: The exit status so far.
        error: What ended the command, if anything did.
        lines: Its text is shown with its lines, else in one.

    Returns:
        The exit status: 1 for lost output, if it was 0.
    """
    lost = _lost_output()
    if isinstance(error, BrokenPipeError) or isinstance(lost, BrokenPipeError):
        return status or 1  # `| head` has seen enough
    if lost is not None:
        _complain(f"{name}: standard output: {lost.strerror}")
    if error is not None and (lost is None or getattr(error, "errno", None) != lost.errno):
        _complain(f"{name}: {error if lines else ' '.join(str(error).split())}")
    return status or int(lost is not None)


def _lost_output() -> OSError | None:
    """Why standard output takes no more, None if all has been written."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        discard_output()
        return error
    return None


def discard_output() -> None:
    """From now on, standard output goes nowhere.

    What is still in its buffer would fail once more as Python ends, which complains of it and
    changes the exit status.
    """
    with contextlib.suppress(OSError):  # no file: a test's
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, sys.stdout.fileno())
        finally:
            os.close(nowhere)


def _complain(text: str) -> None:
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
