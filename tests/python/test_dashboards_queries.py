"""Every query of the dashboards, on a real Prometheus that scraped engines under load."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import dashboard_expectations
from conftest import ROOT
from dashboard_expectations import GPUS
from dashboard_files import NAMES, load, panel_titled, panels, variables
from dashboard_queries import (
    ALL,
    Expected,
    Series,
    answers,
    complaints,
    label_values,
    several,
)
from loaded_engines import MODELS
from polling import wait_until
from scraped_engines import JOB, NVML, RENAMED, Scraped, scraped_engines

# Those that people copy from one another, as they are.
COPIED = {
    'rate(nv_inference_request_success{job="triton"}[1m])': (1, 1200),
    'rate(nv_inference_request_success{job="triton"}[1m])'
    ' / rate(nv_inference_exec_count{job="triton"}[1m])': (0.5, 8),
    'histogram_quantile(0.95, rate(nv_inference_request_duration_us_bucket{job="triton"}[1m]))'
    " / 1000": (1, 5_000),
    'nv_gpu_memory_used_bytes{job="triton"} / nv_gpu_memory_total_bytes{job="triton"} * 100': (
        9.99,
        50.01,
    ),
    '(1 - sum(nv_inference_exec_count{job="triton"})'
    ' / sum(nv_inference_request_success{job="triton"})) * 100': (10, 95),
    'nv_inference_request_success{job="triton"}': (20, 500_000),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not NVML.exists(), reason="no fake NVML (scripts/setup.sh test; ninja -C build/release)"
    ),
]


@pytest.fixture(scope="module")
def scraped(prometheus_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    """One load for all tests."""
    with scraped_engines(prometheus_tools, tmp_path_factory.mktemp("dashboards")) as found:
        yield found


def everything(dashboard: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: ALL for each in variables(dashboard)}


def wanted(name: str, instance: str) -> dict[str, list[Expected]]:
    found: dict[str, list[Expected]] = getattr(dashboard_expectations, name)(instance)
    return found


def named(series: list[Series], target: dict[str, Any]) -> list[Series]:
    """The series, those of tables named by their only label, buckets by their bounds as numbers."""
    if target.get("format") == "table":
        return [replace(each, legend=" ".join(each.labels.values())) for each in series]
    if target.get("format") == "heatmap":
        return [replace(each, legend=str(float(each.legend))) for each in series]
    return series


def judged(
    scraped: Scraped, name: str, title: str, dashboard: dict[str, Any] | None = None
) -> list[str]:
    """What is wrong with the answers to the queries of a panel."""
    dashboard = dashboard or load(name)
    targets = panel_titled(dashboard, title)["targets"]
    found = []
    for target, want in zip(targets, wanted(name, scraped.instance)[title], strict=True):
        series = scraped.ask(target, everything(dashboard))
        found += [f"{target['refId']}: {each}" for each in complaints(named(series, target), want)]
    return found


def titles(name: str) -> list[str]:
    return [panel["title"] for panel in panels(load(name)) if panel["type"] != "alertlist"]


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_is_expected(name: str) -> None:
    assert sorted(wanted(name, "any")) == sorted(titles(name))


@pytest.mark.parametrize(
    ("name", "title"), [(name, title) for name in NAMES for title in titles(name)]
)
def test_the_panel_shows(scraped: Scraped, name: str, title: str) -> None:
    # What has just begun may not have two scrapes yet.
    wait_until(
        lambda: judged(scraped, name, title), lambda found: not found, title, 20, interval=0.5
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_menus_offer(scraped: Scraped, name: str) -> None:
    gpus = list(GPUS) if name == "triton" else ["0", "1"]
    assert answers(scraped.prometheus, load(name)) == {
        "job": [JOB],
        "instance": [scraped.instance],
        "model": list(MODELS),
        "gpu": gpus,
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("models", [["steady"], ["steady", "tight"]])
def test_a_choice_is_kept_to(scraped: Scraped, name: str, models: list[str]) -> None:
    dashboard = load(name)
    chosen = everything(dashboard) | {
        "job": JOB,
        "instance": several([scraped.instance]),
        "model": several(models),
        "gpu": several([GPUS[1] if name == "triton" else "1"]),
    }
    label = "model" if name == "triton" else "model_name"
    seen = set()
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            if panel["title"] == "Padding":
                continue  # "padded" is the model that has it
            series = scraped.ask(target, chosen)
            assert series, panel["title"]
            seen |= {each.labels.get(label, models[0]) for each in series}
            for gpu in ("gpu_uuid", "device_id"):
                assert len({each.labels.get(gpu) for each in series}) == 1
    assert seen == set(models)


@pytest.mark.parametrize("name", NAMES)
def test_a_choice_that_nothing_has(scraped: Scraped, name: str) -> None:
    dashboard = load(name)
    values = everything(dashboard) | {"job": "another"}
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            assert scraped.ask(target, values) == [], panel["title"]
    for each in variables(dashboard)[1:]:
        assert label_values(scraped.prometheus, each["query"], values) == []


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_the_table_can_be_joined(scraped: Scraped, name: str) -> None:
    dashboard = load(name)
    for target in panel_titled(dashboard, "Models")["targets"]:
        for series in scraped.ask(target, everything(dashboard)):
            assert len(series.labels) == 1


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("triton", "Latency distribution"),
        ("inference", "Latency distribution"),
        ("inference", "Batch size distribution"),
    ],
)
def test_buckets_are_cumulative(scraped: Scraped, name: str, title: str) -> None:
    dashboard = load(name)
    (target,) = panel_titled(dashboard, title)["targets"]
    series = scraped.ask(target, everything(dashboard))
    ordered = sorted(series, key=lambda each: float(each.labels["le"]))
    assert all(set(each.labels) == {"le"} for each in series)
    counts = [each.values[-1] for each in ordered]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


@pytest.mark.parametrize("name", NAMES)
def test_annotations(scraped: Scraped, name: str) -> None:
    dashboard = load(name)
    found = {}
    for each in dashboard["annotations"]["list"]:
        if not each["builtIn"]:
            target = {"expr": each["expr"], "legendFormat": each["titleFormat"]}
            # The restart was before the time from which on everything is there again.
            early = Scraped(scraped.prometheus, scraped.plain, "", scraped.begin - 60)
            found[each["name"]] = early.ask(target, everything(dashboard))
    assert [each.legend for each in found["Firing alerts"]] == ["ServerIsUp"]
    (restart,) = found["Restarts"]
    assert restart.legend == "Restart"
    assert set(restart.values) == {1.0}
    assert restart.labels["instance"] == scraped.instance


@pytest.mark.parametrize("query", COPIED)
def test_a_copied_query_has_sane_values(scraped: Scraped, query: str) -> None:
    low, high = COPIED[query]
    found = scraped.prometheus.query(query)
    values = [float(each["value"][1]) for each in found]
    print(values)
    assert values
    assert all(low <= value <= high for value in values), values


def test_without_renaming_the_copied_quantile_is_empty(scraped: Scraped) -> None:
    (query,) = (each for each in COPIED if "_bucket" in each)
    assert scraped.plain.query(query) == []
    assert scraped.plain.query(query.replace("duration_us_bucket", "latency_us_bucket"))


def test_without_renaming_the_panels_are_found_empty(scraped: Scraped) -> None:
    plain = Scraped(scraped.plain, scraped.plain, scraped.instance, scraped.begin)
    for title in ("Latency P50, P95, P99", "Latency distribution"):
        found = judged(plain, "triton", title)
        assert found
        assert all(each.endswith("no series") for each in found)
    assert judged(plain, "triton", "Models") == ["C: no series"]
    assert judged(plain, "triton", "Average batch size") == []


MUTANTS = {
    "misspelt": ("Request rate by outcome", "request_success", "requests_success", "no series"),
    "a percentage of a ratio": (
        "GPU utilization",
        'gpu_uuid=~"$gpu"}',
        'gpu_uuid=~"$gpu"} > 90',
        "no series",
    ),
    "a label that is not there": (
        "Request rate by model",
        "by (model)",
        "by (model_name)",
        "series ['']",
    ),
    "le is lost": ("Latency P50, P95, P99", "by (le)", "by (model)", "no series"),
    "a function that takes no window": ("Request rate by outcome", "rate(", "abs(", "refused"),
    "microseconds for milliseconds": (
        "Where the time goes",
        " / 1000",
        "",
        "values from",
    ),
    "wrong scale": ("GPU memory", "* 100", "* 10000", "values from"),
    "the other way round": (
        "Batching efficiency",
        "nv_inference_exec_count",
        "nv_inference_count",
        "values from",
    ),
    "an unclosed bracket": ("GPU utilization", "}", "", "refused"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_broken_query_is_found(scraped: Scraped, mutant: str) -> None:
    title, old, new, message = MUTANTS[mutant]
    dashboard = copy.deepcopy(load("triton"))
    target = panel_titled(dashboard, title)["targets"][0]
    assert old in target["expr"]
    target["expr"] = target["expr"].replace(old, new)
    try:
        found = judged(scraped, "triton", title, dashboard)
    except ValueError as error:
        found = [f"refused: {error}"]
    print(found)
    assert any(message in each for each in found), found


@pytest.mark.skipif(
    not (ROOT / "configs/prometheus.yml").exists(), reason="no configs/prometheus.yml yet"
)
def test_the_shipped_configuration_renames_alike() -> None:
    config = yaml.safe_load((ROOT / "configs/prometheus.yml").read_text(encoding="utf-8"))
    (job,) = (each for each in config["scrape_configs"] if each["job_name"] == JOB)
    assert job["metric_relabel_configs"] == [RENAMED]
