"""The table with one row for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Panel,
)

from dashboards.panels import About
from dashboards.targets import SOURCE, Query, as_rows


@dataclass(frozen=True)
class Column:
    """A column: its heading, what one of its values is, and Grafana's name of the unit."""

    title: str
    expr: str
    unit: str
    decimals: int = 2


def by_label(about: About, label: str, heading: str, columns: Sequence[Column]) -> Panel:
    """A table with one row for each value of a label, sorted by its first column of values.

    Args:
        about: What every panel has; its unit is that of no column in particular.
        label: The label that every expression keeps, and no other.
        heading: The heading of the label's column.
        columns: The other columns.
    """
    refs = [chr(ord("A") + index) for index in range(len(columns))]
    values = {ref: f"Value #{ref}" for ref in refs}
    titles = {ref: column.title for ref, column in zip(refs, columns, strict=True)}
    panel = (
        table.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(SOURCE)
        .links(about.links())
        .targets(
            [
                as_rows(Query(column.expr, column.title), ref)
                for ref, column in zip(refs, columns, strict=True)
            ]
        )
        .unit(about.unit)
        .filterable(True)
        .show_header(True)
        .sort_by([common.TableSortByFieldState().display_name(columns[0].title).desc(True)])
        # One frame for each query becomes one table, with the columns named as they are here.
        .transformations(
            [
                DataTransformerConfig(id_val="merge", options={}),
                DataTransformerConfig(
                    id_val="organize",
                    options={
                        "excludeByName": {"Time": True},
                        "indexByName": {
                            name: index for index, name in enumerate([label, *values.values()])
                        },
                        "renameByName": {
                            label: heading,
                            **{values[ref]: titles[ref] for ref in refs},
                        },
                    },
                ),
            ]
        )
    )
    for column in columns:
        panel.override_by_name(
            column.title,
            [
                DynamicConfigValue("unit", column.unit),
                DynamicConfigValue("decimals", column.decimals),
            ],
        )
    return panel.build()
