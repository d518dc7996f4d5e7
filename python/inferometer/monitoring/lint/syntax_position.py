"""Where in an expression a syntax error is; promql-parser only says what it is.

A piece of text up to some token is *viable* if something can be written behind it that makes it
valid, or invalid for another reason than its syntax. The error is at the first token with which the
text is not viable any more, or at the end.
"""

from __future__ import annotations

import re

import promql_parser as promql

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*"""
    r"""|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`"""
    r"""|[A-Za-z_:$][\w:$]*|\d[\w.]*|==|!=|>=|<=|=~|!~|.""",
    re.DOTALL,
)
_CLOSES = {"(": ")", "[": "]", "{": "}"}
# What may follow: an operand, a duration, a matcher, the rest of a by-clause or call, nothing.
_FILLERS = ("", "a", "5m", '="b"', '"b"', "=1", "(a)", "(a) (a)", " a", "[5m]", "m", ",a", ":")
# Grammar errors; all else (types, arguments, unknown functions) is about the whole.
_GRAMMAR = re.compile(
    r"invalid promql|unclosed|unexpected|no expression|unterminated|bad number|ParseFloat"
)
_NAMED = re.compile(r"function (?:with name )?'([^']+)'|call to '([^']+)'")
_MAX_TOKENS = 400


def position_of_error(text: str, message: str) -> int:
    """The offset of the error of that message, in characters."""
    named = _NAMED.search(message)
    if named:
        name = named[1] or named[2]
        found = re.search(rf"\b{re.escape(name)}\b", text)
        return found.start() if found else 0
    if not _GRAMMAR.search(message):
        return 0
    if "unclosed left parenthesis" in message:
        return _unclosed(text)
    tokens = [m for m in _TOKEN.finditer(text) if not m[0].isspace() and m[0][0] != "#"]
    for token in tokens[:_MAX_TOKENS]:
        if not _viable(text[: token.end()]):
            return token.start()
    return len(text.rstrip())


def _open_brackets(text: str) -> list[re.Match[str]]:
    brackets: list[re.Match[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] in _CLOSES:
            brackets.append(token)
        elif token[0] in ")]}" and brackets and _CLOSES[brackets[-1][0]] == token[0]:
            brackets.pop()
    return brackets


def _unclosed(text: str) -> int:
    brackets = _open_brackets(text)
    return brackets[-1].start() if brackets else len(text.rstrip())


def _viable(start: str) -> bool:
    closing = "".join(_CLOSES[bracket[0]] for bracket in reversed(_open_brackets(start)))
    for filler in _FILLERS:
        for tail in ("", " a", " (a)"):
            try:
                promql.parse(start + filler + closing + tail)
            except ValueError as error:
                if _GRAMMAR.search(str(error)):
                    continue
            return True
    return False
