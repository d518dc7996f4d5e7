"""What both dashboards have around their panels: variables, annotations, links, time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    AnnotationQuery,
    Dashboard,
    DashboardCursorSync,
    DashboardLink,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.colours import ORANGE, RED
from dashboards.layout import Row, arrange
from dashboards.limits import RUNBOOKS
from dashboards.targets import SERVERS, SOURCE, WINDOW

TAG = "inferometer"
REFRESH = ("5s", "10s", "30s", "1m")  # Grafana's menu adds "Off" by itself.
RANGES = (("Last 15 minutes", "now-15m"), ("Last 1 hour", "now-1h"), ("Last 6 hours", "now-6h"))


@dataclass(frozen=True)
class Choice:
    """A variable whose values are those of a label.

    Attributes:
        name: As queries have it: ``$name``.
        heading: As the page has it.
        query: ``label_values(series, label)``.
    """

    name: str
    heading: str
    query: str


def _choice(choice: Choice) -> dashboard.QueryVariable:
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return (
        dashboard.QueryVariable(choice.name)
        .label(choice.heading)
        .datasource(SOURCE)
        .query(choice.query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        # Without it "All" is the list of all values, which may be longer than a URL may be.
        .all_value(".+")
        .current(everything)
    )


def _annotations() -> list[Builder[AnnotationQuery]]:
    builtin = common.DataSourceRef(type_val="grafana", uid="-- Grafana --")
    return [
        dashboard.AnnotationQuery()
        .name("Annotations & Alerts")
        .datasource(builtin)
        .enable(True)
        .hide(True)
        .icon_color("rgba(0, 211, 255, 1)")
        .type("dashboard")
        .built_in(1),
        dashboard.AnnotationQuery()
        .name("Firing alerts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(RED)
        .expr('ALERTS{alertstate="firing", alertname!="Watchdog", job=~"$job"}')
        .title_format("{{alertname}}")
        .text_format("{{severity}} {{model_name}} {{instance}}")
        .tag_keys("alertname,severity")
        .step("15s"),
        dashboard.AnnotationQuery()
        .name("Restarts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(ORANGE)
        .expr(f"changes(process_start_time_seconds{{{SERVERS}}}{WINDOW}) > 0")
        .title_format("Restart")
        .text_format("{{instance}} was started again")
        .tag_keys("instance")
        .step("15s"),
    ]


def _links() -> list[Builder[DashboardLink]]:
    return [
        dashboard.DashboardLink("Dashboards of inferometer")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .keep_time(True),
        dashboard.DashboardLink("Runbooks")
        .type(DashboardLinkType.LINK)
        .icon("doc")
        .url(RUNBOOKS)
        .target_blank(True),
    ]


def framed(
    uid: str, title: str, description: str, choices: Sequence[Choice], rows: Sequence[Row]
) -> Dashboard:
    """A whole dashboard."""
    source = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    picker = (
        dashboard.TimePicker()
        .refresh_intervals(list(REFRESH))
        .quick_ranges(
            [
                dashboard.TimeOption().display(text).from_val(begin).to("now")
                for text, begin in RANGES
            ]
        )
    )
    built = (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags([TAG, "inference", "triton"])
        .readonly()
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time(RANGES[0][1], "now")
        .refresh(REFRESH[0])
        .timepicker(picker)
        .variables([source, *(_choice(choice) for choice in choices)])
        .annotations(_annotations())
        .links(_links())
        .build()
    )
    built.panels = arrange(rows)
    return built
