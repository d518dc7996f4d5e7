"""The values that a dashboard's variables can have."""

from __future__ import annotations

import re
from typing import Any

from inferometer.asgi.dashboard.document import Dashboard
from inferometer.asgi.dashboard.interpolation import Choices, Interpolation, static_options
from inferometer.asgi.dashboard.source import DataSource, SourceError
from inferometer.asgi.dashboard.time_range import TimeRange

_LABEL_VALUES = re.compile(r"\s*label_values\(\s*(?:(.+?)\s*,\s*)?(\w+)\s*\)\s*", re.DOTALL)


def read_options(
    dashboard: Dashboard, choices: Choices, source: DataSource, time_range: TimeRange
) -> dict[str, dict[str, Any]]:
    """The values of each variable but the data source, in the dashboard's order.

    A variable's query may have earlier variables.

    Returns:
        By name ``{"options": [...], "error": None}``.
    """
    found: dict[str, dict[str, Any]] = {}
    options: dict[str, list[str]] = {}
    for variable in dashboard.variables:
        if variable.kind == "datasource":
            continue
        error = None
        values: list[str] = []
        if variable.kind != "query":
            values = static_options(variable)
        else:
            try:
                match = _LABEL_VALUES.fullmatch(variable.query)
                if match is None:
                    raise SourceError(
                        f"{variable.name}: got the query {variable.query!r}, want label_values()"
                    )
                values_of = Interpolation(dashboard, choices, time_range.intervals(), options)
                selector = values_of.into(match[1] or "")
                values = source.label_values(selector, match[2], time_range.start, time_range.end)
            except SourceError as problem:
                error = str(problem)
        options[variable.name] = values
        found[variable.name] = {"options": values, "error": error}
    return found
