"""docs/dashboards.md explains every panel with the query that it has, and its example builds."""

from __future__ import annotations

import importlib
import importlib.util
import re
import warnings

import pytest

from dashboard_files import NAMES, ROOT, load, panels

PAGE = (ROOT / "docs/dashboards.md").read_text(encoding="utf-8")


def shortened(expr: str) -> str:
    """A query as the page writes it: without what all queries have in common."""
    for common in (
        'job=~"$job", instance=~"$instance"',
        'model=~"$model"',
        'model_name=~"$model"',
        'gpu_uuid=~"$gpu"',
        'device_id=~"$gpu"',
    ):
        expr = expr.replace(common, "")
    expr = re.sub(r"\{[, ]*", "{", expr)
    return expr.replace("{}", "").replace("[$__rate_interval]", "[w]")


def explained(title: str) -> dict[str, list[str]]:
    """The queries of each panel in the part of the page on one dashboard."""
    (part,) = re.findall(rf"^## {title}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    found = {}
    for paragraph in re.split(r"^\*\*", part, flags=re.MULTILINE)[1:]:
        name, text = paragraph.split(".** ", 1)
        if queries := re.search(r"```promql\n(.*?)```", text, re.DOTALL):
            assert text.index("```") > 5, f"{name} is not explained"
            found[name] = queries[1].splitlines()
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_query_is_explained(name: str) -> None:
    dashboard = load(name)
    wanted = {
        panel["title"]: [shortened(target["expr"]) for target in panel["targets"]]
        for panel in panels(dashboard)
        if panel["type"] != "alertlist"
    }
    assert len(wanted) > 20
    assert explained(dashboard["title"]) == wanted


def test_annotations_are_explained() -> None:
    for each in load("triton")["annotations"]["list"]:
        if not each["builtIn"]:
            assert f"| {each['name']} | `{shortened(each['expr'])}" in PAGE or each["expr"] in PAGE


def test_it_says_that_no_grafana_has_opened_them() -> None:
    assert "**not opened in Grafana here**" in PAGE


@pytest.mark.skipif(
    importlib.util.find_spec("grafana_foundation_sdk") is None, reason="no grafana-foundation-sdk"
)
def test_the_example_builds_a_panel() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    with warnings.catch_warnings():
        # The SDK says that it would rather be asked for dashboardv2.
        warnings.simplefilter("ignore", DeprecationWarning)
        names = vars(importlib.import_module("dashboards.inference.model_rows")).copy()
    exec(code, names)
    panel = names["latest"]
    assert (panel.title, panel.id_val) == ("Latency objective", 606)
    assert all(each.get("id") != panel.id_val for each in load("inference")["panels"])
    (target,) = panel.targets
    assert shortened(target.expr) == "max by (model_name) (inference_latency_objective_seconds)"
