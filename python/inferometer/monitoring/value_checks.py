"""Checks of single values. The error class is native: it is loaded when there is an error."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from inferometer.monitoring.durations import WANTED, milliseconds

if TYPE_CHECKING:
    from inferometer import ConfigError


def config_error(option: str, got: object, want: str) -> ConfigError:
    """The error that says what came and what was wanted."""
    from inferometer import ConfigError

    return ConfigError(f"{option}: got {got!r}, want {want}")


def check_between(option: str, got: object, low: float, high: float, unit: str) -> None:
    """Refuses what is not a number between two others, neither of which is allowed.

    Args:
        option: The name in the message.
        got: The value.
        low: It must be above this.
        high: And below this; infinity for no limit.
        unit: What it counts, "seconds" or "a ratio".

    Raises:
        ConfigError: It is not.
    """
    number = isinstance(got, (int, float)) and not isinstance(got, bool)
    if not number or not low < float(got) < high:  # type: ignore[arg-type]
        end = "" if math.isinf(high) else f" and below {high:g}"
        raise config_error(option, got, f"{unit} above {low:g}{end}")


def check_match(option: str, got: object, pattern: str, want: str) -> None:
    """Refuses what is not text of a given form.

    Raises:
        ConfigError: ``got`` is no str, or does not match the whole pattern.
    """
    if not isinstance(got, str) or not re.fullmatch(pattern, got):
        raise config_error(option, got, want)


def check_duration(option: str, got: object) -> None:
    """Refuses what Prometheus does not read as a duration, and none at all.

    Raises:
        ConfigError: It does not.
    """
    try:
        if isinstance(got, str) and milliseconds(got) > 0:
            return
    except ValueError:
        pass
    raise config_error(option, got, f"{WANTED}, above 0")


def check_port(option: str, got: object) -> None:
    """Refuses what is not a TCP port.

    Raises:
        ConfigError: It is not.
    """
    if not isinstance(got, int) or isinstance(got, bool) or not 1 <= got <= 65535:
        raise config_error(option, got, "a port from 1 to 65535")
