"""What the command says on standard output, which may be closed, full, or know few characters."""

from __future__ import annotations

import logging
import sys

from inferometer.console import discard_output

_log = logging.getLogger("inferometer")


def say(text: str) -> None:
    """Prints lines; where they cannot be written, a warning says so, and the service goes on.

    Characters that the output's encoding does not have are written as escapes.

    Args:
        text: The lines, without the last one's end.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except OSError as error:
        _log.warning(
            "standard output cannot be written (%s): what is said there from now on is lost",
            error.strerror,
        )
        discard_output()
