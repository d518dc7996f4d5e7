"""docs/gpu.md: its code runs, on emulated GPUs, and it says what has not been tried."""

from __future__ import annotations

import re
from typing import Any

import pytest

import emulated_cuda
import inferometer as im
from conftest import ROOT
from emulated_cuda import EmulatedGpus

TEXT = (ROOT / "docs/gpu.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
UNTRIED = "compiled with nvcc, run on the host emulation, not yet on a GPU"


@pytest.mark.skipif(bool(emulated_cuda.why_not()), reason=emulated_cuda.why_not())
def test_its_code_runs(
    gpus: EmulatedGpus, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for snippet in SNIPPETS:
        exec(compile(snippet, "docs/gpu.md", "exec"), names)
    assert "cuda:1" in capsys.readouterr().out
    with names["engine"] as engine:
        assert engine.instances == 4


def test_its_metrics_exist() -> None:
    with im.Engine(lambda x: x, name="m", registry=(registry := im.Registry())):
        text = im.render_metrics(registry)[0].decode()
    for name in re.findall(r"`((?:inference|inferometer|nv_inference)_\w+)", TEXT):
        assert f"\n{name}" in text, name


@pytest.mark.parametrize("page", ["README.md", "docs/gpu.md", "CHANGELOG.md"])
def test_what_was_not_tried_is_said(page: str) -> None:
    text = re.sub(r"\s+", " ", (ROOT / page).read_text(encoding="utf-8"))
    assert UNTRIED.lower() in text.lower()
