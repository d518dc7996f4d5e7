"""Puts the values of variables into queries.

A browser may choose values, never text of queries: what it sends is escaped and stands inside of
quotes, or is one of the values that the dashboard itself lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from inferometer._core import ConfigError
from inferometer.asgi.dashboard.document import Dashboard, Variable
from inferometer.asgi.dashboard.source import SourceError

ALL = "$__all"
_REFERENCE = re.compile(r"\$(\w+)|\$\{(\w+)(?::(\w+))?\}|\[\[(\w+)\]\]")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}]")
_STATIC = ("custom", "constant", "interval")

Choices = Mapping[str, Sequence[str]]


def _quoted(text: str) -> str:
    """Text as it stands inside of PromQL's double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _pattern(values: Sequence[str]) -> str:
    """A regular expression for exactly these values, inside of double quotes."""
    escaped = [_quoted(_SPECIAL.sub(r"\\\g<0>", value)) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def static_options(variable: Variable) -> list[str]:
    """The values that the dashboard itself lists."""
    return [option.strip() for option in variable.query.split(",") if option.strip()]


def _is_quoted(query: str, position: int) -> bool:
    """Whether a position is inside of a string with double quotes."""
    inside, at = "", 0
    while at < position:
        character = query[at]
        if inside and character == "\\" and inside != "`":
            at += 1
        elif inside == character:
            inside = ""
        elif not inside and character in "\"'`":
            inside = character
        at += 1
    return inside == '"'


def _name(match: re.Match[str]) -> str:
    return match[1] or match[2] or match[4]


def check_references(dashboard: Dashboard) -> None:
    """Refuses queries in which a chosen value would not stand inside of double quotes.

    Raises:
        ConfigError: There is one.
    """
    chosen = {v.name for v in dashboard.variables if v.kind == "query"}
    queries = [
        *(target.query for panel in dashboard.panels.values() for target in panel.targets),
        *(annotations.query for annotations in dashboard.annotations),
        *(v.query for v in dashboard.variables if v.kind == "query"),
    ]
    for query in queries:
        for match in _REFERENCE.finditer(query):
            if _name(match) in chosen and not _is_quoted(query, match.start()):
                raise ConfigError(
                    f"dashboard {dashboard.title}: got {match[0]} outside of double quotes in "
                    f"{query!r}, want it inside"
                )


class Interpolation:
    """The values of a dashboard's variables.

    Args:
        dashboard: Whose.
        choices: What was chosen, by name; what is not there is all values, or the first.
        intervals: Grafana's variables of time.
        options: All values of variables that have no expression for all of them.
    """

    def __init__(
        self,
        dashboard: Dashboard,
        choices: Choices,
        intervals: Mapping[str, str],
        options: Choices | None = None,
    ) -> None:
        self._variables = {variable.name: variable for variable in dashboard.variables}
        self._choices = choices
        self._intervals = intervals
        self._options = options or {}

    def into(self, text: str) -> str:
        """The text with values instead of variables.

        Raises:
            SourceError: A variable that there is not, or a value that it cannot have.
        """
        return _REFERENCE.sub(lambda match: self._value(_name(match), match[0]), text)

    def _value(self, name: str, reference: str) -> str:
        if name in self._intervals:
            return self._intervals[name]
        variable = self._variables.get(name)
        if variable is None or variable.kind == "datasource":
            raise SourceError(f"the dashboard has no variable {reference}")
        chosen = list(self._choices.get(name, ()))
        if variable.kind in _STATIC:
            return self._listed(variable, chosen)
        if not variable.multi and not variable.include_all:
            return _quoted(chosen[0]) if chosen else ""
        if not chosen or ALL in chosen:
            if variable.all_value is not None:
                return _quoted(variable.all_value)
            chosen = list(self._options.get(name, ()))
        return _pattern(chosen) if chosen else ".*"

    @staticmethod
    def _listed(variable: Variable, chosen: Sequence[str]) -> str:
        options = static_options(variable)
        if not options:
            raise SourceError(f"the variable {variable.name} has no values")
        if ALL in chosen and variable.include_all:
            return _pattern(options) if variable.all_value is None else variable.all_value
        for value in chosen:
            if value not in options:
                wanted = ", ".join(options)
                raise SourceError(f"{variable.name}: got {value!r}, want one of {wanted}")
        return "|".join(chosen if variable.multi else chosen[:1]) or options[0]
