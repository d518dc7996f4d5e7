"""JSON with line numbers: an object knows the line on which it begins."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from inferometer.monitoring.lint.source_text import SourceError


class Object(dict[str, Any]):
    """A JSON object.

    Attributes:
        line: Where it begins, from 1.
    """

    line: int = 1


class _Decoder(json.JSONDecoder):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
        self.parse_object = self._object
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]

    def _object(self, state: tuple[str, int], *arguments: Any) -> tuple[Object, int]:
        value, end = json.decoder.JSONObject(state, *arguments)  # type: ignore[attr-defined]
        found = Object(value)
        found.line = bisect_right(self._starts, state[1])
        return found, end


def read_json(text: str) -> Any:
    """The value of a JSON text, of which each object is an ``Object``.

    Raises:
        SourceError: If it is not JSON, or nested too deeply.
    """
    try:
        return _Decoder(text).decode(text)
    except json.JSONDecodeError as error:
        raise SourceError(f"not JSON: {error.msg}, column {error.colno}", error.lineno) from None
    except RecursionError:
        raise SourceError("not a dashboard: nested too deeply") from None
    except ValueError as error:  # a number of thousands of digits
        raise SourceError(f"not JSON: {error}") from None


def mapping(value: Any) -> Object:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, Object) else Object()


def objects(value: Any) -> Iterator[Object]:
    """The objects of a list; of anything else none."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Object))


def text_of(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def strings(value: Any) -> Iterator[str]:
    """Every string in a value, without keys."""
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
