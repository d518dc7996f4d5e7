"""Queries as the panels hold them."""

from __future__ import annotations

from dataclasses import dataclass

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

# A variable, so that one file serves every Grafana.
SOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
SERVERS = 'job=~"$job", instance=~"$instance"'
# Four scrapes at least, and no less than the step of the graph.
WINDOW = "[$__rate_interval]"


@dataclass(frozen=True)
class Query:
    """One query of a panel.

    Attributes:
        expr: PromQL, with the dashboard's variables.
        legend: The name of its series, with ``{{label}}``.
    """

    expr: str
    legend: str


def over_time(query: Query, ref: str) -> prometheus.Dataquery:
    """A target that draws a line."""
    return (
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
        .range()
        .ref_id(ref)
    )


def right_now(query: Query, ref: str) -> prometheus.Dataquery:
    """A target with one value a series, that at the end of the time range."""
    return (
        prometheus.Dataquery()
        .datasource(SOURCE)
        .expr(query.expr)
        .legend_format(query.legend)
        .instant()
        .ref_id(ref)
    )


def as_rows(query: Query, ref: str) -> prometheus.Dataquery:
    """A target of a table: one value a row."""
    return right_now(query, ref).format(PromQueryFormat.TABLE)


def as_buckets(query: Query, ref: str) -> prometheus.Dataquery:
    """A target of a heatmap: cumulative buckets by ``le``."""
    return over_time(query, ref).format(PromQueryFormat.HEATMAP)
