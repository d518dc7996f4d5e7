"""The error that ends a command with one line."""

from __future__ import annotations


class CommandError(Exception):
    """What a command could not do: one line for the user, and the exit status.

    Attributes:
        status: 1: it ran and failed; 2: it was asked for something wrong.
    """

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
