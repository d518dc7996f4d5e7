"""What docs/serve.md says: its requests are answered, its lists are those of the code."""

from __future__ import annotations

import json
import re

import pytest

from conftest import ROOT
from inferometer.cli import main
from inferometer.repository import instance_groups, model_config
from service_process import ServiceProcess

PAGE = (ROOT / "docs/serve.md").read_text(encoding="utf-8")


def test_its_requests_are_answered() -> None:
    calls = re.findall(
        r"^curl (?:-X (\w+) )?http://127\.0\.0\.1:8000(\S+)(?: -d '([^']+)')?$", PAGE, re.MULTILINE
    )
    assert len(calls) == 5
    with ServiceProcess("--allow-fault-injection", "--delay-model", "slow=0.05") as service:
        for method, path, body in calls:
            verb = method or ("POST" if body else "GET")
            status, reply, _ = service.call(verb, path, json.loads(body) if body else None)
            assert status == 200, (path, reply)
            if "resnet_model/infer" in path:
                probabilities = reply["outputs"][0]["data"]
                assert max(probabilities) == probabilities[0] > 0.9  # it is a zero
                assert reply.keys() == {"id", "model_name", "model_version", "outputs"}


def test_its_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(snippet, "serve.md", "exec"), names)
    app = names["app"]
    for model in app.state.service.models.values():  # type: ignore[attr-defined]
        model.close()


def test_its_list_of_fields_without_effect_is_the_codes() -> None:
    paragraph = re.search(
        r"These fields of Triton's have no effect.*?are errors\.", PAGE, re.DOTALL
    )
    assert paragraph is not None
    named = set(re.findall(r"`([\w.]+)`", paragraph[0]))
    assert named == {
        *model_config._LEFT_ALONE,
        *model_config._TENSOR_LEFT_ALONE,
        *instance_groups._LEFT_ALONE,
        "gpus",
        "dynamic_batching.preserve_ordering",
    }


def test_its_options_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--help"]) == 0
    options = set(re.findall(r"^  (--[\w-]+)", capsys.readouterr().out, re.MULTILINE))
    assert options == set(re.findall(r"^\| `(--[\w-]+)", PAGE, re.MULTILINE))


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([\w.]+\.md)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
