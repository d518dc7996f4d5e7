"""Reading the fields of a message as what they should be, with errors that name file and line."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Collection, Iterable

from inferometer.repository.text_format import Field, Message, Scalar
from inferometer.repository.tokens import error_at

_log = logging.getLogger("inferometer")

MAX_INT32 = 2**31 - 1
MAX_UINT64 = 2**64 - 1


class TypedFields:
    """The fields of one message. Single-owner.

    Every field has to be asked for, or named as one that is left alone: ``finish`` refuses others.

    Args:
        message: What was read.
        file: What messages call the file.
        path: Where the message is, as ``"dynamic_batching"``; empty for the outermost.
    """

    def __init__(self, message: Message, file: str, path: str = "") -> None:
        self.file = file
        self.line = message.line
        self._path = path
        self._known: set[str] = set()
        self._fields: dict[str, list[Field]] = {}
        for field in message.fields:
            self._fields.setdefault(field.name, []).append(field)

    def path(self, name: str) -> str:
        """A field's name with where it is."""
        return f"{self._path}.{name}" if self._path else name

    def line_of(self, name: str) -> int:
        """Where a field stands first; where the message begins, if it is not there."""
        return self._fields[name][0].line if name in self._fields else self.line

    def wrong(self, name: str, got: str, want: str) -> Exception:
        """The error for a field."""
        return error_at(self.file, self.line_of(name), f"{self.path(name)}: {got}", want)

    def has(self, name: str) -> bool:
        """Whether a field is there."""
        self._known.add(name)
        return name in self._fields

    def text(self, name: str, default: str = "") -> str:
        """A string.

        Raises:
            ConfigError: Another type, or given twice.
        """
        field = self._one(name)
        if field is None:
            return default
        return str(self._scalar(field, "string", "a string in quotes").value)

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``.

        Raises:
            ConfigError: Another type or range, or given twice.
        """
        field = self._one(name)
        return default if field is None else self._integer(field, low, high)

    def integers(self, name: str, low: int, high: int) -> list[int]:
        """A repeated integer.

        Raises:
            ConfigError: Another type or range.
        """
        return [self._integer(field, low, high) for field in self._all(name)]

    def flag(self, name: str, default: bool = False) -> bool:
        """A bool.

        Raises:
            ConfigError: Another type, or given twice.
        """
        field = self._one(name)
        if field is None:
            return default
        value = field.value
        words = {"true": True, "True": True, "t": True, "false": False, "False": False, "f": False}
        if isinstance(value, Scalar):
            if value.kind == "name" and value.value in words:
                return words[str(value.value)]
            if value.kind == "integer" and value.value in (0, 1):
                return bool(value.value)
        raise self._of_type(field, "true or false")

    def word(self, name: str, default: str, choices: Collection[str]) -> str:
        """The name of an enum's value.

        Raises:
            ConfigError: Another type or name, or given twice.
        """
        field = self._one(name)
        if field is None:
            return default
        want = f"one of {', '.join(choices)}"
        got = self._scalar(field, "name", want)
        if got.value not in choices:
            raise self._of_type(field, want)
        return str(got.value)

    def message(self, name: str) -> TypedFields | None:
        """A message; None if it is not there.

        Raises:
            ConfigError: Another type, or given twice.
        """
        field = self._one(name)
        return None if field is None else self._message(field, self.path(name))

    def messages(self, name: str) -> list[TypedFields]:
        """A repeated message.

        Raises:
            ConfigError: Another type.
        """
        return [
            self._message(field, f"{self.path(name)}[{index}]")
            for index, field in enumerate(self._all(name))
        ]

    def finish(self, left_alone: Iterable[str] = ()) -> None:
        """Refuses unknown fields; logs a warning for each known one that has no effect here.

        Args:
            left_alone: The names of the latter.

        Raises:
            ConfigError: For a field that was neither asked for nor left alone.
        """
        alone = set(left_alone)
        for name, fields in self._fields.items():
            if name in alone:
                _log.warning(
                    "%s:%d: %s has no effect here", self.file, fields[0].line, self.path(name)
                )
            elif name not in self._known:
                close = difflib.get_close_matches(name, sorted(self._known | alone), 1)
                hint = f" (is it {close[0]!r}?)" if close else ""
                where = f"a field of {self._path}" if self._path else "a field of a model's config"
                raise error_at(
                    self.file, fields[0].line, f"the unknown field {name!r}{hint}", where
                )

    def _all(self, name: str) -> list[Field]:
        self._known.add(name)
        return self._fields.get(name, [])

    def _one(self, name: str) -> Field | None:
        fields = self._all(name)
        if len(fields) > 1:
            raise error_at(
                self.file, fields[1].line, f"{self.path(name)} {len(fields)} times", "it once"
            )
        return fields[0] if fields else None

    def _of_type(self, field: Field, want: str) -> Exception:
        return error_at(
            self.file, field.value.line, f"{self.path(field.name)}: {field.value}", want
        )

    def _scalar(self, field: Field, kind: str, want: str) -> Scalar:
        if not isinstance(field.value, Scalar) or field.value.kind != kind:
            raise self._of_type(field, want)
        return field.value

    def _integer(self, field: Field, low: int, high: int) -> int:
        want = f"an integer from {low} to {high}"
        value = self._scalar(field, "integer", want).value
        if not isinstance(value, int) or not low <= value <= high:
            raise self._of_type(field, want)
        return value

    def _message(self, field: Field, path: str) -> TypedFields:
        if not isinstance(field.value, Message):
            raise self._of_type(field, "a message in {}")
        return TypedFields(field.value, self.file, path)
