"""The tokens of protobuf's text format, and the error that names a place in a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from inferometer._core import ConfigError

# Of a number or of a name; a string is bounded by its file.
_MAX_WORD_LENGTH = 1024

_PATTERN = re.compile(
    r"""
    (?P<space>[ \t\r\n\f\v]+ | \#[^\n]*)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>(?:0[xX][0-9a-fA-F]+ | (?:[0-9]+(?:\.[0-9]*)? | \.[0-9]+)(?:[eE][+-]?[0-9]+)?[fF]?)
      (?![A-Za-z0-9_.]))
  | (?P<string>"(?:[^"\\\n]|\\[^\n])*" | '(?:[^'\\\n]|\\[^\n])*')
  | (?P<symbol>[{}<>\[\]:,;-])
    """,
    re.VERBOSE,
)

_ESCAPES = re.compile(
    rb"\\(?:(?P<octal>[0-7]{1,3})|[xX](?P<hex>[0-9a-fA-F]{1,2})|u(?P<short>[0-9a-fA-F]{4})"
    rb"|U(?P<long>[0-9a-fA-F]{8})|(?P<plain>[abfnrtv?'\"\\])|(?P<wrong>.))",
    re.DOTALL,
)
_PLAIN_ESCAPES = dict(zip(b"abfnrtv?'\"\\", b"\a\b\f\n\r\t\v?'\"\\", strict=True))


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: ``"name"``, ``"number"``, ``"string"``, ``"symbol"`` or ``"end"``.
        text: As it stands in the file.
        line: Its line, from 1.
    """

    kind: str
    text: str
    line: int

    def __str__(self) -> str:
        """For messages."""
        if self.kind == "end":
            return "the end of the file"
        return repr(self.text if len(self.text) <= 40 else self.text[:40] + "...")


def error_at(file: str, line: int, got: str, want: str) -> ConfigError:
    """The error for something that stands in a file and should not.

    Args:
        file: As messages name it.
        line: From 1.
        got: What is there.
        want: What should be there.

    Returns:
        An error to raise.
    """
    return ConfigError(f"{file}:{line}: got {got}, want {want}")


def tokenize(text: str, file: str) -> list[Token]:
    """Cuts a text into tokens, the last of which is the end.

    Raises:
        ConfigError: For characters that begin no token.
    """
    tokens: list[Token] = []
    position, line = 0, 1
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise error_at(file, line, *_what_is_wrong(text, position))
        kind, word = match.lastgroup, match.group()
        if kind == "name" or kind == "number":
            if len(word) > _MAX_WORD_LENGTH:
                wanted = f"at most {_MAX_WORD_LENGTH}"
                raise error_at(file, line, f"a {kind} of {len(word)} characters", wanted)
            tokens.append(Token(kind, word, line))
        elif kind == "string" or kind == "symbol":
            tokens.append(Token(kind, word, line))
        else:
            line += word.count("\n")
        position = match.end()
    tokens.append(Token("end", "", line))
    return tokens


def _what_is_wrong(text: str, position: int) -> tuple[str, str]:
    character = text[position]
    if character in "\"'":
        return f"a string that does not end in its line ({character})", f"a closing {character}"
    if character in ".0123456789":
        word = re.compile(r"[^\s,;\]}>#]*").match(text, position)
        return repr(word.group()[:40]) if word else repr(character), "a number"
    return f"the character {character!r}", "a field, a value or a bracket"


def string_value(token: Token, file: str) -> str:
    """What a string token means.

    Raises:
        ConfigError: For an unknown escape, or bytes that are not UTF-8.
    """

    def replace(match: re.Match[bytes]) -> bytes:
        if octal := match["octal"]:
            if int(octal, 8) > 255:
                got = f"the escape \\{octal.decode()}"
                raise error_at(file, token.line, got, "an octal one up to \\377")
            return bytes([int(octal, 8)])
        if digits := match["hex"]:
            return bytes([int(digits, 16)])
        if digits := match["short"] or match["long"]:
            code = int(digits, 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise error_at(file, token.line, f"code point {code:#x}", "one of Unicode's")
            return chr(code).encode()
        if plain := match["plain"]:
            return bytes([_PLAIN_ESCAPES[plain[0]]])
        wrong = "\\" + match["wrong"].decode("utf-8", "replace")
        raise error_at(file, token.line, f"the escape {wrong!r}", "one of protobuf's escapes")

    try:
        raw = token.text[1:-1].encode()
    except UnicodeEncodeError:
        raise error_at(file, token.line, "a lone surrogate", "text") from None
    try:
        return _ESCAPES.sub(replace, raw).decode()
    except UnicodeDecodeError:
        raise error_at(file, token.line, f"bytes that are not UTF-8 in {token}", "text") from None
