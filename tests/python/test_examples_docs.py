"""The guides: their code runs, their links and anchors exist, the API guide has every name."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import promql_parser
import pytest

import inferometer as im
from conftest import ROOT

GUIDES = ("api", "examples", "load_testing", "production", "troubleshooting", "tuning_batching")
API = (ROOT / "docs/api.md").read_text(encoding="utf-8")
CLASSES = (
    *(im.Engine, im.Batched, im.Request, im.Pending, im.Timing, im.Model, im.DelayModel, im.Faults),
    *(im.Simulation, im.Registry, im.Counter, im.Gauge, im.Histogram, im.MetricsListener),
)
# Parts of the native engine that others are made of.
INNER = {"infer_item", "infer_item_async", "submit_item", "swap_models"}
# How many queries a guide has at least.
QUERIES = {"production": 15, "tuning_batching": 5, "examples": 2, "troubleshooting": 2}
DATACLASSES = (im.Batching, im.QueuePolicy, im.Padding, im.Spec, im.Arrival)


def text_of(guide: str) -> str:
    """A guide's text."""
    return (ROOT / f"docs/{guide}.md").read_text(encoding="utf-8")


def snippets(guide: str) -> list[str]:
    """A guide's Python code, in order."""
    return re.findall(r"```python\n(.*?)```", text_of(guide), re.DOTALL)


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if snippets(guide)])
def test_the_code_of_a_guide_runs_from_top_to_bottom(guide: str, tmp_path: Path) -> None:
    program = tmp_path / f"{guide}.py"
    program.write_text("\n".join(snippets(guide)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    if guide == "production":  # simulated: the same on every machine
        (shown,) = re.findall(r"```text\n(.*?)```", text_of(guide), re.DOTALL)
        assert done.stdout == shown


@pytest.mark.parametrize("guide", GUIDES)
def test_every_query_of_a_guide_can_be_parsed_and_names_metrics_that_exist(guide: str) -> None:
    families = re.findall(
        r"^\| `(\w+)`", (ROOT / "docs/metrics.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(families) > 40
    names = {"nv_inference_request_duration_us"}  # the scrape configuration's
    names.update(families)
    found = 0
    for query in re.findall(r"`([^`\n]+)`", text_of(guide)):
        metrics = re.findall(r"\b(?:inference|inferometer|nv|gpu)_[a-z_]+\b(?!\()", query)
        if not metrics or query.startswith(("$", "'")) or not re.match(r"[\w(]", query):
            continue
        if re.search(r"[({\[]", query):
            promql_parser.parse(query)
        for metric in metrics:
            family = re.sub(r"_(bucket|sum|count)$", "", metric)
            assert {metric, family} & names, f"{metric} in {query}"
        found += 1
    assert found >= QUERIES.get(guide, 0)


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_of_a_guide_leads_somewhere(guide: str) -> None:
    text = text_of(guide)
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert links
    for link in links:
        if link.startswith("http"):
            continue
        target, _, anchor = link.partition("#")
        path = (ROOT / "docs" / target) if target else ROOT / f"docs/{guide}.md"
        assert path.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            # As GitHub makes them.
            slugs = [
                re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-").strip("-") for head in heads
            ]
            assert anchor in slugs, link


def test_the_api_guide_has_every_public_name() -> None:
    missing = [name for name in im.__all__ if not re.search(rf"\bim\.{name}\b", API)]
    assert missing == []


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: str(kind.__name__))
def test_the_api_guide_has_every_public_method(kind: type) -> None:
    public = [name for name in dir(kind) if not name.startswith("_") and name not in INNER]
    assert public
    missing = [name for name in public if not re.search(rf"`[^`]*\b{name}\b[^`]*`", API)]
    assert missing == []


@pytest.mark.parametrize("kind", DATACLASSES, ids=lambda kind: str(kind.__name__))
def test_the_api_guide_has_every_field_with_its_default(kind: type) -> None:
    for name, parameter in inspect.signature(kind).parameters.items():
        assert re.search(rf"\b{name}\b", API), name
        if isinstance(parameter.default, bool | int | float | str | tuple):
            assert f"{name}={parameter.default!r}".replace("'", '"') in API, name


def test_the_api_guide_says_what_each_error_is_also() -> None:
    errors = [name for name in im.__all__ if name == "Error" or name.endswith("Error")]
    assert len(errors) == 12
    for name in errors:
        row = re.search(rf"^\| `im\.{name}` \|([^|]*)\|", API, re.MULTILINE)
        assert row is not None, name
        bases = [base for base in getattr(im, name).__bases__ if base is not im.Error]
        want = [
            ("im." if base.__module__ == "inferometer" else "") + base.__name__ for base in bases
        ]
        assert row[1].replace("`", "").split() == want, name
