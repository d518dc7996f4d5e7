"""The kinds of panels, each with the settings that all of its kind share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, dashboard, gauge, heatmap, stat, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import heatmap as heatmap_kinds
from grafana_foundation_sdk.models.dashboard import (
    DashboardLink,
    DashboardLinkType,
    FieldColorModeId,
    Panel,
)

from dashboards.colours import GREEN, Steps, fixed, steps
from dashboards.limits import RUNBOOKS
from dashboards.targets import SOURCE, Query, as_buckets, over_time, right_now


@dataclass(frozen=True)
class About:
    """What every panel has.

    Attributes:
        id: Unique in its dashboard and never given to another panel: links and annotations use it.
        title: Unique too.
        description: What it shows, and what to make of it.
        unit: Grafana's name of the unit.
        runbooks: The alerts that are about the same thing.
    """

    id: int
    title: str
    description: str
    unit: str
    runbooks: tuple[str, ...] = ()

    def links(self) -> list[Builder[DashboardLink]]:
        """Links to the runbooks."""
        return [
            dashboard.DashboardLink(f"Runbook: {alert}")
            .type(DashboardLinkType.LINK)
            .url(f"{RUNBOOKS}/{alert}.md")
            .target_blank(True)
            for alert in self.runbooks
        ]


def _ref(index: int) -> str:
    return chr(ord("A") + index)


def lines(
    about: About,
    queries: Sequence[Query],
    *,
    limits: Steps = (),
    colours: Mapping[str, str] | None = None,
    stacked: bool = False,
    highest: float | None = None,
) -> Panel:
    """Series over time.

    Args:
        about: What every panel has.
        queries: One or more.
        limits: Lines to draw: (value, colour).
        colours: Colours of series, by their name.
        stacked: Whether the series add up to something.
        highest: The top of the axis; None: as the values have it.
    """
    panel = (
        timeseries.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(SOURCE)
        .links(about.links())
        .targets([over_time(query, _ref(index)) for index, query in enumerate(queries)])
        .unit(about.unit)
        .min(0)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .thresholds(steps(GREEN, *limits))
        .draw_style(kinds.GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(30 if stacked else 10)
        .show_points(kinds.VisibilityMode.NEVER)
        .legend(
            common.VizLegendOptions()
            .display_mode(kinds.LegendDisplayMode.TABLE)
            .placement(kinds.LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(
            common.VizTooltipOptions()
            .mode(kinds.TooltipDisplayMode.MULTI)
            .sort(kinds.SortOrder.DESCENDING)
        )
    )
    if limits:
        line = common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.LINE)
        panel.thresholds_style(line)
    if stacked:
        panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL).group("A"))
    if highest is not None:
        panel.max(highest)
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [fixed(colour)])
    return panel.build()


def number(
    about: About,
    query: Query,
    *,
    base: str = GREEN,
    limits: Steps = (),
    decimals: int | None = None,
    graph: bool = True,
) -> Panel:
    """One number, the newest, with its course behind it unless `graph` is off."""
    panel = (
        stat.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(SOURCE)
        .links(about.links())
        .targets([(over_time if graph else right_now)(query, "A")])
        .unit(about.unit)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(steps(base, *limits))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .graph_mode(kinds.BigValueGraphMode.AREA if graph else kinds.BigValueGraphMode.NONE)
        .color_mode(kinds.BigValueColorMode.VALUE)
        .text_mode(kinds.BigValueTextMode.AUTO)
    )
    if decimals is not None:
        panel.decimals(decimals)
    return panel.build()


def dial(about: About, query: Query, limits: Steps) -> Panel:
    """A gauge from 0 to 1 for each series."""
    return (
        gauge.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(SOURCE)
        .links(about.links())
        .targets([right_now(query, "A")])
        .unit(about.unit)
        .min(0)
        .max(1)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(steps(GREEN, *limits))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .show_threshold_labels(False)
        .show_threshold_markers(True)
        .build()
    )


def buckets(about: About, query: Query) -> Panel:
    """A histogram over time: `about.unit` is that of the buckets' bounds; cells are counts."""
    return (
        heatmap.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .datasource(SOURCE)
        .links(about.links())
        .targets([as_buckets(query, "A")])
        .unit("short")
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit(about.unit))
        .cell_values(heatmap.CellValues().unit("short").decimals(0))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmap_kinds.HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .scale(heatmap_kinds.HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(64)
        )
        .tooltip(heatmap.HeatmapTooltip().mode(kinds.TooltipDisplayMode.SINGLE))
        .show_legend()
        .build()
    )


def firing_alerts(about: About) -> Panel:
    """The alerts that are pending or firing; Grafana asks its data sources, so it has no query."""
    panel = (
        dashboard.Panel()
        .id(about.id)
        .title(about.title)
        .description(about.description)
        .type("alertlist")
        .datasource(SOURCE)
        .links(about.links())
        .build()
    )
    panel.options = {
        "alertInstanceLabelFilter": '{alertname!="Watchdog"}',
        "alertName": "",
        "dashboardAlerts": False,
        "groupBy": [],
        "groupMode": "default",
        "maxItems": 20,
        "sortOrder": 3,
        "stateFilter": {
            "error": True,
            "firing": True,
            "noData": False,
            "normal": False,
            "pending": True,
        },
        "viewMode": "list",
    }
    return panel
