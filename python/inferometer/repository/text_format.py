"""Protobuf's text format: from a text to a tree of fields, without a schema.

Messages in ``{}`` and ``<>``, with or without a colon; lists in ``[]``; strings with escapes, side
by side they are one; decimal, hexadecimal and octal integers; floats; names such as ``true`` or
``KIND_CPU``; comments. Extensions and ``Any`` are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inferometer.repository.tokens import Token, error_at, string_value, tokenize

# Protobuf's own parsers stop at 100; a model's configuration needs six.
MAX_NESTING = 64

_CLOSING = {"{": "}", "<": ">"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that is no message.

    Attributes:
        kind: ``"name"`` is a bare word: a bool or an enum's value.
        value: Of the type that ``kind`` says.
        line: Where it stands.
    """

    kind: Literal["string", "integer", "float", "name"]
    value: str | int | float
    line: int

    def __str__(self) -> str:
        """For messages."""
        if self.kind == "name":
            return f"the name {str(self.value)[:40]}"
        text = repr(self.value)
        return f"the {self.kind} {text if len(text) <= 40 else text[:40] + '...'}"


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its fields in the order of the file; ``line`` is where it begins."""

    fields: tuple[Field, ...]
    line: int

    def __str__(self) -> str:
        """For messages."""
        return "a message in {}"


@dataclass(frozen=True, slots=True)
class Field:
    """A field with one value. A list of values is as many fields, as in protobuf."""

    name: str
    value: Scalar | Message
    line: int


def parse(text: str, file: str) -> Message:
    """Reads a whole text.

    Args:
        text: The text.
        file: What messages call it.

    Returns:
        The message that it is.

    Raises:
        ConfigError: With the file, the line, what is there and what should be.
    """
    return _Parser(tokenize(text, file), file).whole()


class _Parser:
    def __init__(self, tokens: list[Token], file: str) -> None:
        self._tokens = tokens
        self._position = 0
        self._file = file

    def whole(self) -> Message:
        return Message(self._fields("", 0), 1)

    def _next(self) -> Token:
        token = self._tokens[self._position]
        if token.kind != "end":
            self._position += 1
        return token

    def _take(self, *symbols: str) -> Token | None:
        """The next token if it is one of these symbols."""
        token = self._tokens[self._position]
        return self._next() if token.kind == "symbol" and token.text in symbols else None

    def _wrong(self, token: Token, want: str) -> Exception:
        return error_at(self._file, token.line, str(token), want)

    def _fields(self, closing: str, depth: int) -> tuple[Field, ...]:
        fields: list[Field] = []
        while True:
            token = self._next()
            if token.kind == "end" and not closing:
                return tuple(fields)
            if token.kind == "symbol" and token.text == closing:
                return tuple(fields)
            if token.kind != "name":
                raise self._wrong(token, f"a field's name{closing and f' or {closing!r}'}")
            self._field(token, fields, depth)
            self._take(",", ";")

    def _field(self, name: Token, fields: list[Field], depth: int) -> None:
        colon = self._take(":") is not None
        if self._take("["):
            if self._take("]"):
                return
            while True:
                fields.append(self._one(name, depth, colon))
                if self._take("]"):
                    return
                if not self._take(","):
                    raise self._wrong(self._next(), "',' or ']'")
        fields.append(self._one(name, depth, colon))

    def _one(self, name: Token, depth: int, colon: bool) -> Field:
        token = self._next()
        if token.kind == "symbol" and token.text in _CLOSING:
            if depth == MAX_NESTING:
                got = f"messages nested more than {MAX_NESTING} deep"
                raise error_at(self._file, token.line, got, "fewer")
            fields = self._fields(_CLOSING[token.text], depth + 1)
            return Field(name.text, Message(fields, token.line), name.line)
        if not colon:
            raise self._wrong(token, f"':' or '{{' after {name.text!r}")
        return Field(name.text, self._scalar(token), name.line)

    def _scalar(self, token: Token) -> Scalar:
        if token.kind == "string":
            parts = [string_value(token, self._file)]
            while self._tokens[self._position].kind == "string":
                parts.append(string_value(self._next(), self._file))
            return Scalar("string", "".join(parts), token.line)
        sign = 1
        if token.kind == "symbol" and token.text == "-":
            sign, token = -1, self._next()
            if token.kind != "number" and token.text.lower() not in ("inf", "infinity", "nan"):
                raise self._wrong(token, "a number after '-'")
        if token.kind == "number":
            return self._number(token, sign)
        if token.kind == "name":
            if token.text.lower() in ("inf", "infinity", "nan"):
                return Scalar("float", sign * float(token.text), token.line)
            return Scalar("name", token.text, token.line)
        raise self._wrong(token, "a value")

    def _number(self, token: Token, sign: int) -> Scalar:
        text = token.text.lower()
        if text.startswith("0x"):
            return Scalar("integer", sign * int(text, 16), token.line)
        if text.isdigit():
            if text[0] == "0" and text.strip("01234567"):
                raise self._wrong(token, "digits from 0 to 7 in a number that begins with 0")
            return Scalar("integer", sign * int(text, 8 if text[0] == "0" else 10), token.line)
        return Scalar("float", sign * float(text.removesuffix("f")), token.line)
