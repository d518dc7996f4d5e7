"""Reading JSON that strangers send: nesting is bounded, and large arrays do not hold the GIL.

``json.loads`` is one call that keeps every other thread from running until it is done: 0.4 s for
10 MB. A large body is therefore read in windows, on a thread; between two of them others run. Long
arrays of numbers become numpy arrays at once, in a quarter of the memory of Python's objects.
"""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from inferometer.serve.number_arrays import (
    MAX_DIMENSIONS,
    Array,
    Constant,
    DataError,
    joined,
    number_array,
)

# Characters that are read in one call; about 2 ms.
_WINDOW = 1 << 16

# Strings, objects and rows longer than a window are read one by one, some 3 us each: no request to
# a model of numbers has that many.
_MAX_SINGLE_VALUES = 1 << 18

_SPACE = re.compile(r"[ \t\n\r]*")
_TEXT_OR_OBJECT = re.compile(r'["{}]')
_BRACKETS = re.compile(r"[\[\]]")
_STRINGS_AND_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)

_CONSTANTS = {name: Constant(name) for name in ("NaN", "Infinity", "-Infinity")}
_DECODER = json.JSONDecoder(parse_constant=_CONSTANTS.__getitem__)


class JsonError(ValueError):
    """Text that is no JSON, or nested too deep; the message says where."""


def read_json(body: bytes, max_nesting: int, window: int = _WINDOW) -> Any:
    """Reads a whole text.

    NaN, Infinity and -Infinity are numbers, as for Triton: ``Constant``.

    Args:
        body: UTF-8.
        max_nesting: How deep arrays and objects may be nested.
        window: Bodies of more bytes are read in windows of so many characters.

    Returns:
        What ``json.loads`` returns; from a body that is read in windows, long arrays of numbers or
        bools as numpy arrays (see ``number_array``).

    Raises:
        JsonError: It is no JSON, nested deeper, a number has thousands of digits, or a body that is
            read in windows has hundreds of thousands of strings or objects.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise JsonError(f"byte {error.start} is not UTF-8") from None
    try:
        if len(body) > window:
            return _Windows(text, max_nesting, window).whole()
        _check_nesting(body, max_nesting)
        return _DECODER.decode(text)
    except JsonError:
        raise
    except RecursionError:
        raise _too_deep(max_nesting) from None
    except json.JSONDecodeError as error:
        raise JsonError(str(error)) from None
    except ValueError:  # int() refuses to read thousands of digits
        raise JsonError("a number has too many digits") from None


def _too_deep(max_nesting: int) -> JsonError:
    return JsonError(f"it is nested more than {max_nesting} deep")


def _check_nesting(body: bytes, max_nesting: int) -> None:
    if body.count(b"[") + body.count(b"{") <= max_nesting:
        return
    depth = 0
    for match in _STRINGS_AND_BRACKETS.finditer(body):
        bracket = body[match.start()]
        if bracket in b"[{":
            depth += 1
            if depth > max_nesting:
                raise _too_deep(max_nesting)
        elif bracket in b"]}":
            depth -= 1


class _Windows:
    """One text, read once. Single-owner."""

    def __init__(self, text: str, max_nesting: int, window: int) -> None:
        self._text = text
        self._max_nesting = max_nesting
        self._window = window
        self._single_values = 0

    def whole(self) -> Any:
        value, at = self._value(self._skip(0), 0)
        if at != len(self._text):
            raise json.JSONDecodeError("Extra data", self._text, at)
        return value

    def _skip(self, at: int) -> int:
        match = _SPACE.match(self._text, at)
        return match.end() if match else at

    def _value(self, at: int, depth: int) -> tuple[Any, int]:
        """The value that begins at a place, and where the next token begins."""
        self._single_values += 1
        if self._single_values > _MAX_SINGLE_VALUES:
            raise JsonError(f"it has more than {_MAX_SINGLE_VALUES} strings or objects")
        first = self._text[at : at + 1]
        value: Any
        if first == "{":
            value, at = self._object(at, depth + 1)
        elif first == "[":
            value, at = self._array(at, depth + 1)
        else:
            value, at = _DECODER.raw_decode(self._text, at)
        return value, self._skip(at)

    def _descend(self, depth: int) -> None:
        if depth > self._max_nesting:
            raise _too_deep(self._max_nesting)

    def _wrong(self, want: str, at: int) -> Exception:
        return json.JSONDecodeError(f"Expecting {want}", self._text, at)

    def _object(self, at: int, depth: int) -> tuple[dict[str, Any], int]:
        self._descend(depth)
        found: dict[str, Any] = {}
        at = self._skip(at + 1)
        if self._text[at : at + 1] == "}":
            return found, at + 1
        while True:
            if self._text[at : at + 1] != '"':
                raise self._wrong("property name enclosed in double quotes", at)
            name, at = self._value(at, depth)
            if self._text[at : at + 1] != ":":
                raise self._wrong("':' delimiter", at)
            found[name], at = self._value(self._skip(at + 1), depth)
            mark = self._text[at : at + 1]
            if mark == "}":
                return found, at + 1
            if mark != ",":
                raise self._wrong("',' delimiter", at)
            at = self._skip(at + 1)

    def _array(self, at: int, depth: int) -> tuple[list[Any] | Array, int]:
        self._descend(depth)
        at = self._skip(at + 1)
        if self._text[at : at + 1] == "]":
            return [], at + 1
        pieces: list[list[Any]] = []
        arrays: list[Array] = []
        while True:
            items, at = self._some_items(at, depth)
            # Kept as arrays for as long as they are arrays of one kind.
            array = None if pieces else _array_of(items)
            mark = self._text[at : at + 1]
            if mark == "]" and not arrays and not pieces:
                if array is not None and isinstance(items[0], np.ndarray):
                    return array, at + 1
                return items, at + 1
            if array is None:
                pieces += [part.tolist() for part in arrays]
                arrays = []
                pieces.append(items)
            else:
                arrays.append(array)
            if mark == "]":
                return _together(arrays, pieces), at + 1
            if mark != ",":
                raise self._wrong("',' delimiter", at)
            at = self._skip(at + 1)

    def _some_items(self, at: int, depth: int) -> tuple[list[Any], int]:
        """At least one item of an array, and the place of the mark behind."""
        stop = _TEXT_OR_OBJECT.search(self._text, at, at + self._window)
        window = self._text[at : stop.start() if stop else at + self._window]
        end = self._cut(window, depth)
        if end:
            try:
                return _DECODER.decode(f"[{window[:end]}]"), self._skip(at + end)
            except json.JSONDecodeError as error:
                raise json.JSONDecodeError(error.msg, self._text, at + error.pos - 1) from None
        item, at = self._value(at, depth)
        return [item], at

    def _cut(self, window: str, depth: int) -> int:
        """Where the last whole item of a window ends; 0 if there is none."""
        if "[" not in window:
            close = window.find("]")
            return close if close >= 0 else max(window.rfind(","), 0)
        level = last = 0
        for match in _BRACKETS.finditer(window):
            if match.group() == "[":
                level += 1
                self._descend(depth + level)
            else:
                level -= 1
                if level < 0:
                    return match.start()
                if level == 0:
                    last = match.end()
        return last


def _array_of(items: list[Any]) -> Array | None:
    if len(items) == 1 and isinstance(items[0], np.ndarray):
        return items[0][np.newaxis] if items[0].ndim < MAX_DIMENSIONS else None
    try:
        return number_array(items)
    except DataError:
        return None


def _together(arrays: list[Array], pieces: list[list[Any]]) -> list[Any] | Array:
    if not pieces:
        try:
            return joined(arrays)
        except DataError:
            pieces = [part.tolist() for part in arrays]
    return [item for piece in pieces for item in piece]
