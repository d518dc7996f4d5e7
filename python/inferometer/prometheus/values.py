"""Single numbers of a metric, as tests that look inside prometheus_client's metrics read them."""

from __future__ import annotations

from collections.abc import Callable


class CellValue:
    """What ``counter._value`` and ``histogram._sum`` are: a view of a native number.

    Args:
        read: Reads it.
        write: Sets it; None if it can only be observed.
    """

    def __init__(
        self, read: Callable[[], float], write: Callable[[float], None] | None = None
    ) -> None:
        self._read = read
        self._write = write

    def get(self) -> float:
        """The number now."""
        return self._read()

    def set(self, value: float, timestamp: float | None = None) -> None:
        """Sets the number; the time only matters to other processes.

        Raises:
            AttributeError: If it is a count or sum of observations.
        """
        del timestamp
        if self._write is None:
            raise AttributeError("counts and sums of observations cannot be set")
        self._write(value)
