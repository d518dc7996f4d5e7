"""Asks a Prometheus what a dashboard asks, as Grafana would, and judges the answers."""

from __future__ import annotations

import math
import re
import time
import urllib.error
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboard_files import variables
from prometheus_server import PrometheusServer

ALL = ".+"
STEP_SECONDS = 1.0
Values = Mapping[str, str]


@dataclass(frozen=True)
class Series:
    """One series of an answer, with the name that a panel's legend gives it."""

    legend: str
    labels: dict[str, str]
    values: tuple[float, ...]  # NaN included


@dataclass(frozen=True)
class Expected:
    """What the answer to a query must be like.

    Attributes:
        low, high: Every value is between them; the largest of all is above `low` where that is 0
            and `idle` is not set.
        legends: The names of all series.
        idle: Whether all values may be 0.
    """

    low: float
    high: float
    legends: frozenset[str]
    idle: bool = False


def expected(low: float, high: float, *legends: str, idle: bool = False) -> Expected:
    """An `Expected`, with the names one after the other."""
    return Expected(low, high, frozenset(legends), idle)


def filled(expression: str, values: Values) -> str:
    """The expression with a value for each variable."""
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values[found[1]], expression)


def several(values: Iterable[str]) -> str:
    """Chosen values of a variable, as Grafana writes them into a regular expression.

    What has a meaning in one is escaped, and the backslash once more, for the PromQL string.
    """
    return (
        "(" + "|".join(re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", each) for each in values) + ")"
    )


def label_values(prometheus: PrometheusServer, query: str, values: Values) -> list[str]:
    """The answer to the query of a variable.

    Raises:
        ValueError: It is not ``label_values(series, label)``.
    """
    parts = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    if parts is None:
        raise ValueError(f"got {query!r}, want label_values(series, label)")
    found: list[str] = prometheus.get(
        f"label/{parts[2]}/values", **{"match[]": filled(parts[1], values)}
    )
    return found


def answers(prometheus: PrometheusServer, dashboard: dict[str, Any]) -> dict[str, list[str]]:
    """What the menu of each variable offers while all others are at All."""
    everything = {each["name"]: ALL for each in variables(dashboard)}
    return {
        each["name"]: label_values(prometheus, each["query"], everything)
        for each in variables(dashboard)
    }


def ask(
    prometheus: PrometheusServer, target: dict[str, Any], values: Values, begin: float
) -> list[Series]:
    """The series of a target from `begin` until now; of an instant target, only now.

    Raises:
        ValueError: Prometheus refuses the query.
    """
    expression = filled(target["expr"], values)
    now = time.time()
    try:
        if target.get("instant"):
            found = prometheus.get("query", query=expression)["result"]
            pairs = [(each["metric"], [each["value"]]) for each in found]
        else:
            found = prometheus.get(
                "query_range",
                query=expression,
                start=f"{begin:.3f}",
                end=f"{now:.3f}",
                step=str(STEP_SECONDS),
            )["result"]
            pairs = [(each["metric"], each["values"]) for each in found]
    except urllib.error.HTTPError as error:
        with error:
            raise ValueError(f"{expression}: {error.read().decode()}") from None
    return [
        Series(
            _legend(target.get("legendFormat", ""), labels),
            labels,
            tuple(float(value) for _, value in samples),
        )
        for labels, samples in pairs
    ]


def _legend(template: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), template)


def complaints(series: list[Series], wanted: Expected) -> list[str]:
    """What is not as it must be."""
    if not series:
        return ["no series"]
    found = []
    legends = [each.legend for each in series]
    if frozenset(legends) != wanted.legends or len(legends) != len(wanted.legends):
        found.append(f"series {sorted(legends)}, want {sorted(wanted.legends)}")
    numbers = [value for each in series for value in each.values if not math.isnan(value)]
    found += [
        f"{each.legend}: nothing but NaN" for each in series if all(map(math.isnan, each.values))
    ]
    if not numbers:
        return found
    if min(numbers) < wanted.low or max(numbers) > wanted.high:
        found.append(
            f"values from {min(numbers):g} to {max(numbers):g}, "
            f"want {wanted.low:g} to {wanted.high:g}"
        )
    if max(numbers) == 0 and not wanted.idle:
        found.append("nothing but 0")
    return found
