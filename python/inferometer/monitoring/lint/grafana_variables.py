"""Puts something into the place of Grafana's variables, so that an expression can be parsed."""

from __future__ import annotations

import re
from collections.abc import Mapping

# What stands for a variable's value; no real label or value begins so.
PLACEHOLDER = "grafanavariable_"
VARIABLE = re.compile(
    r"\$\{(?P<braced>\w+)(?::[\w.()]*)?\}|\[\[(?P<old>\w+)(?::\w+)?\]\]|\$(?P<bare>\w+)"
)
BUILT_IN = re.compile(r"__\w+|timeFilter")


def names_in(text: str) -> set[str]:
    """The variables that a text uses, without Grafana's own."""
    names = {variable_name(found) for found in VARIABLE.finditer(text)}
    return {name for name in names if not BUILT_IN.fullmatch(name) and not name.isdigit()}


def variable_name(found: re.Match[str]) -> str:
    """The name in a match of ``VARIABLE``."""
    return found["braced"] or found["old"] or found["bare"] or ""


def substituted(text: str, values: Mapping[str, str], scrape_interval: float) -> str:
    """The expression with values for all variables.

    Args:
        text: As in the dashboard.
        values: Values of variables that are numbers or durations; others get a placeholder.
        scrape_interval: Seconds, from which Grafana's own intervals follow.
    """
    four = f"{round(4000 * scrape_interval)}ms"
    built_in = {
        "__rate_interval": four,
        "__interval": four,  # what is wrong with it is another check's business
        "__interval_ms": f"{round(4000 * scrape_interval)}",
        "__rate_interval_ms": f"{round(4000 * scrape_interval)}",
        "__range": "15m",
        "__range_s": "900",
        "__range_ms": "900000",
        "__from": "0",
        "__to": "900000",
    }

    def value(found: re.Match[str]) -> str:
        name = variable_name(found)
        if name.isdigit():  # a group of label_replace's regular expression
            return found[0]
        return built_in.get(name) or values.get(name) or PLACEHOLDER + name

    return VARIABLE.sub(value, text)
