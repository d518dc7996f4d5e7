"""The notebooks: each runs from top to bottom, every cell twice, in a kernel of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "notebooks"))

from live_chart import LiveChart

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# What the last run of its cells must have shown: tables of engines, charts, lines of text.
SHOWN = {
    "alert_proof": (0, 1, r"pending at 630 s, fired at 930 s\n.*resolved at 2100 s"),
    "batching_tradeoff": (2, 3, r""),
    "telemetry_overhead": (1, 1, r"recording: \d+ ns a request\nshare of compute: 0\.\d{3}%"),
    "what_if": (1, 4, r"^252,000 requests, an hour, in \d+\.\d\d s"),
}
# In a process of its own: Jupyter's client warns of its own dependencies.
RUN = """
import sys
import nbformat
from nbclient import NotebookClient

path, folder, out = sys.argv[1:]
notebook = nbformat.read(path, as_version=4)
notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code" for _ in range(2)]
NotebookClient(notebook, timeout=300, resources={"metadata": {"path": folder}}).execute()
nbformat.write(notebook, out)
"""


def read(path: Path) -> dict[str, Any]:
    """A notebook's JSON."""
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook


def test_every_notebook_is_run() -> None:
    assert {path.stem for path in NOTEBOOKS} == SHOWN.keys()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.stem))
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = read(path)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
    assert path.stat().st_size < 20_000


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: str(path.stem))
def test_a_notebook_runs_with_every_cell_twice(
    path: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for package in ("nbclient", "ipykernel"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: pip install nbclient ipykernel")
    tools = os.environ.get("INFEROMETER_TOOLS", "")
    if path.stem == "alert_proof" and not tools:
        tools = str(request.getfixturevalue("prometheus_tools"))
    out = tmp_path / path.name
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(path), str(path.parent), str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        env={
            **os.environ,
            "INFEROMETER_TOOLS": tools,
            "IPYTHONDIR": str(tmp_path),
            "JUPYTER_PLATFORM_DIRS": "1",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = [[output for output in cell["outputs"]] for cell in read(out)["cells"]]
    flat = [output for cell in outputs[1::2] for output in cell]
    assert [output for output in flat if output["output_type"] == "error"] == []
    html = ["".join(output.get("data", {}).get("text/html", [])) for output in flat]
    text = "".join("".join(output.get("text", [])) for output in flat)
    tables, charts, said = SHOWN[path.stem]
    assert sum("<table" in part for part in html) >= tables
    assert sum("<polyline" in part for part in html) >= charts
    assert re.search(said, text), text
    # stderr is where warnings go.
    assert [output for output in flat if output.get("name") == "stderr"] == []


def test_a_chart_is_well_formed_escapes_names_and_can_be_read_aloud() -> None:
    chart = LiveChart("<script>", "x & y", "</svg>")
    chart.add("<b>", 0, 1.0)
    chart.add("<b>", 1, float("nan"))
    chart.add("<b>", 2, 3.5)
    chart.add("other", 1, 0)
    html = chart._repr_html_()
    assert "<script" not in html and "href" not in html and "url(" not in html
    root = ElementTree.fromstring(html)
    assert root.attrib["role"] == "img"
    assert root[0].tag == "title"
    assert root[0].text == "<script>. x & y, </svg>. <b>: 0 1, 2 3.5; other: 1 0"
    lines = [line.attrib["points"].split() for line in root.iter("polyline")]
    assert [len(points) for points in lines] == [2, 1]
    places = [[float(number) for number in point.split(",")] for point in lines[0]]
    assert places[0][0] < places[1][0] and places[0][1] > places[1][1]


@pytest.mark.parametrize(
    "points", [[], [(5, 0)], [(0, 0), (0, 0)], [(-3, 1e-9), (1e9, 7)], [(1, 1e12)]]
)
def test_a_chart_of_any_points_stays_inside_its_frame(points: list[tuple[float, float]]) -> None:
    chart = LiveChart("t", "x", "y")
    for x, y in points:
        chart.add("s", x, y)
    root = ElementTree.fromstring(chart._repr_html_())
    for circle in list(root.iter("circle"))[: len(points)]:
        assert 0 <= float(circle.attrib["cx"]) <= 640
        assert 0 <= float(circle.attrib["cy"]) <= 260
