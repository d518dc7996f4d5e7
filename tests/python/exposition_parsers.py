"""Parsers of the exposition formats that are not ours: what they accept, others accept.

Each takes the bytes of a response's body and raises ``ValueError`` for what it cannot read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from google.protobuf.message import DecodeError
from google.protobuf.unknown_fields import UnknownFieldSet
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families

from metrics_schema import MetricFamily

# A length is a 32-bit number: five groups of seven bits.
_LONGEST_LENGTH_BYTES = 5


def parse_text(body: bytes) -> list[Metric]:
    """Families of a body in Prometheus' text format, as prometheus_client's parser reads them."""
    return list(text_families(body.decode()))


def parse_openmetrics(body: bytes) -> list[Metric]:
    """Families of an OpenMetrics body, as prometheus_client's strict parser reads them."""
    return list(openmetrics_families(body.decode()))  # type: ignore[no-untyped-call]


def parse_delimited(body: bytes) -> list[Any]:
    """Families of a body in the delimited protobuf format, as google.protobuf reads them.

    Returns:
        One ``MetricFamily`` message (see metrics_schema) a family.

    Raises:
        ValueError: The framing is wrong, a message cannot be decoded, or holds a field that the
            public schema does not have.
    """
    families: list[Any] = []
    for frame in _frames(body):
        family = MetricFamily()
        try:
            family.ParseFromString(frame)
        except DecodeError as error:
            raise ValueError(f"family {len(families)}: {error}") from error
        _refuse_unknown(family, "MetricFamily")
        families.append(family)
    return families


def _frames(body: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(body):
        length, begin = _length(body, at)
        at = begin + length
        if at > len(body):
            raise ValueError(
                f"message at byte {begin}: got {len(body) - begin} bytes, want {length}"
            )
        yield body[begin:at]


def _length(body: bytes, at: int) -> tuple[int, int]:
    """The length that is written at a position, and the position behind it."""
    length = 0
    for index, byte in enumerate(body[at : at + _LONGEST_LENGTH_BYTES]):
        length |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return length, at + index + 1
    raise ValueError(f"length at byte {at}: want a varint of 1 to {_LONGEST_LENGTH_BYTES} bytes")


def _refuse_unknown(message: Any, path: str) -> None:
    unknown = [field.field_number for field in UnknownFieldSet(message)]
    if unknown:
        raise ValueError(f"{path}: got the unknown fields {unknown}")
    for field, content in message.ListFields():
        if field.message_type is None:
            continue
        # A repeated field is a container of messages, a single one is the message.
        for child in [content] if hasattr(content, "ListFields") else content:
            _refuse_unknown(child, f"{path}.{field.name}")
