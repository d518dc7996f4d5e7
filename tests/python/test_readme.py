"""What README.md says: its code runs, its commands and links exist."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from typing import Any

import httpx
import numpy as np

from conftest import ROOT
from inferometer.testing import AlertLab
from shipped_alerts import SHIPPED

README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def run(snippet: str) -> dict[str, Any]:
    """Executes a snippet; returns its names."""
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(snippet, "README.md", "exec"), names)
    return names


def test_the_first_snippet_batches_and_measures() -> None:
    names = run(SNIPPETS[0])
    assert np.array_equal(names["y"], np.full((1, 4), 2, np.float32))
    assert b'inference_requests_total{model_name="double",status="success"} 1' in names["body"]


def test_the_service_answers_and_shows_its_metrics() -> None:
    names = run(SNIPPETS[1])

    async def talk() -> str:
        transport = httpx.ASGITransport(names["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            reply = await client.post("/predict", json=[[1, 2], [3, 4]])
            assert reply.json() == [[2, 4], [6, 8]]
            assert (await client.get("/readyz")).status_code == 200
            return (await client.get("/metrics")).text

    metrics = asyncio.run(talk())
    names["engine"].close()
    assert 'inference_requests_total{model_name="double",status="success"} 1' in metrics


@SHIPPED
def test_the_alert_test_passes(alert_lab: AlertLab) -> None:
    run(SNIPPETS[2])["test_a_slow_model_is_reported"](alert_lab)


def test_every_link_and_script_exists() -> None:
    assert len(SNIPPETS) == 3
    for target in re.findall(r"\]\(([^)#]+)", README):
        assert (ROOT / target).exists(), target
    scripts = set(re.findall(r"scripts/\w+\.(?:sh|py)", README))
    assert len(scripts) >= 5
    for script in scripts:
        assert os.access(ROOT / script, os.X_OK), script


def test_the_version_stands_in_one_place() -> None:
    import inferometer as im

    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    core = (ROOT / "cpp/CMakeLists.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.*)"', pyproject, re.MULTILINE)
    # The core can be built alone: then this default counts.
    assert re.findall(r'INFEROMETER_VERSION "(.*?)"', core) == [version]
    assert im.__version__ == version


def test_no_script_needs_a_machine_of_ours() -> None:
    files = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "scripts", "cpp/cmake", ".ci", "pyproject.toml"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    for name in files:
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"/(root|home|work|opt)/", text), name
