"""Which names may be used, and how long an exemplar may be."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_MAX_EXEMPLAR_CHARACTERS = 128

_legacy_validation = os.environ.get("PROMETHEUS_LEGACY_NAME_VALIDATION", "").lower() in (
    "true",
    "1",
    "t",
)


def get_legacy_validation() -> bool:
    """Whether only the names of Prometheus 2 are accepted."""
    return _legacy_validation


def disable_legacy_validation() -> None:
    """Accepts any Unicode in names from now on, as is the default."""
    global _legacy_validation
    _legacy_validation = False


def enable_legacy_validation() -> None:
    """Accepts only the names of Prometheus 2 from now on."""
    global _legacy_validation
    _legacy_validation = True


def is_legacy_metric_name(name: str) -> bool:
    """Whether Prometheus 2 knows this as a metric name."""
    return _METRIC_NAME.fullmatch(name) is not None


@functools.lru_cache(maxsize=1024)  # for exemplars, which are checked again and again
def is_legacy_label_name(name: str) -> bool:
    """Whether Prometheus 2 lets users have this label name."""
    return _LABEL_NAME.fullmatch(name) is not None and not name.startswith("__")


def check_unicode(text: str, what: str) -> None:
    """Refuses text that has no UTF-8, which would make every later scrape fail.

    Raises:
        ValueError: If it contains lone surrogates.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{what}: got {text!r} with lone surrogates, want valid Unicode"
        ) from error


def check_metric_name(name: str) -> None:
    """Raises ValueError unless `name` may be the name of a metric."""
    if not name:
        raise ValueError("metric name cannot be empty")
    if _legacy_validation and not is_legacy_metric_name(name):
        raise ValueError("invalid metric name " + name)
    check_unicode(name, "metric name")


def check_label_name(name: str) -> None:
    """Raises ValueError unless `name` may be the name of a label."""
    if not name or (_legacy_validation and _LABEL_NAME.fullmatch(name) is None):
        raise ValueError("Invalid label metric name: " + name)
    check_unicode(name, "label name")
    if name.startswith("__"):
        raise ValueError("Reserved label metric name: " + name)


def checked_label_names(names: Iterable[str], reserved: Sequence[str]) -> tuple[str, ...]:
    """The names as a tuple.

    Raises:
        ValueError: If one is invalid or among those that the metric itself uses.
    """
    result = tuple(names)
    for name in result:
        check_label_name(name)
        if name in reserved:
            raise ValueError("Reserved label metric name: " + name)
    return result


def check_exemplar(labels: Mapping[str, str]) -> bool:
    """Checks the labels of an exemplar.

    Returns:
        Whether Prometheus 2 knows all their names.

    Raises:
        ValueError: For an invalid name, and for more than 128 characters in all.
    """
    characters = 0
    legacy = True
    for name, value in labels.items():
        if not is_legacy_label_name(name):
            check_label_name(name)
            legacy = False
        characters += len(name) + len(value)
    if characters > _MAX_EXEMPLAR_CHARACTERS:
        raise ValueError(
            f"Exemplar labels have {characters} UTF-8 characters, "
            f"exceeding the limit of {_MAX_EXEMPLAR_CHARACTERS}"
        )
    return legacy
