"""``inferometer monitoring init``: what it writes, says and refuses."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import inferometer as im
from conftest import ROOT
from inferometer import _core
from inferometer.monitoring import Objectives, Settings, init_command
from inferometer.monitoring.files import names, render
from monitoring_tools import files_below, init


def test_it_writes_configs_and_says_what_and_what_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "configs"
    assert init(folder) == 0
    assert files_below(folder) == files_below(ROOT / "configs")
    *written, following = capsys.readouterr().out.splitlines()
    assert written == [str(folder / name) for name in names(Settings())]
    assert following == f"next: docker compose -f {folder}/docker-compose.yaml up -d --build"


@pytest.mark.parametrize(
    ("format", "following"),
    [
        ("local", "prometheus --config.file={0}/prometheus.yml --storage.tsdb.path={0}/data "),
        ("operator", "kubectl apply -f {0}/servicemonitor.yaml -f {0}/prometheusrule.yaml "),
    ],
)
def test_each_format_says_what_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str, following: str
) -> None:
    assert init(tmp_path, "--format", format) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"next: {following.format(tmp_path)}")


def test_every_option_reaches_the_files(tmp_path: Path) -> None:
    objectives = {name: getattr(Objectives(), name) * 0.9 for name in Objectives.ranges()}
    objectives["availability"] = 0.995
    given = {
        "job": "resnet",
        "environment": "staging",
        "scrape_interval": 5.0,
        "retention": "7d",
        "webhook_url": "http://10.0.0.9/hook",
        "grafana_url": "http://10.0.0.9:3000",
        "runbook_base": "http://10.0.0.9/runbooks",
        "http_port": 18000,
        "metrics_port": 18002,
        "prometheus_port": 19090,
        "alertmanager_port": 19093,
        "grafana_port": 13000,
    }
    options = [
        *(f"--{name.replace('_', '-')}={value}" for name, value in given.items()),
        *(f"--objective-{name.replace('_', '-')}={value}" for name, value in objectives.items()),
    ]
    assert init(tmp_path, "--format=local", "--target=a:1", "--target", "b:2", *options) == 0
    settings = Settings(
        format="local",
        targets=("a:1", "b:2"),
        objectives=Objectives(**objectives),
        **given,  # type: ignore[arg-type]
    )
    for name in names(settings):
        assert (tmp_path / name).read_text(encoding="utf-8") == render(name, settings)


def test_changed_files_are_kept_without_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init(tmp_path) == 0
    assert init(tmp_path) == 0  # the same again is no change
    capsys.readouterr()
    with pytest.raises(im.ConfigError, match=r"without other versions of prometheus\.yml, ") as no:
        init(tmp_path, "--job", "other")
    assert str(no.value).startswith(f"DIR: got '{tmp_path}', want ")
    assert str(no.value).endswith(", or --force")
    assert capsys.readouterr().out == ""
    assert files_below(tmp_path) == files_below(ROOT / "configs")
    assert init(tmp_path, "--job", "other", "--force") == 0
    config = yaml.safe_load((tmp_path / "prometheus.yml").read_text(encoding="utf-8"))
    assert config["scrape_configs"][0]["job_name"] == "other"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--objective-latency-warning=6"],
        ["--target=nonsense"],
        ["--format=operator", "--target=a:1"],
        ["--retention=forever"],
    ],
)
def test_a_wrong_value_is_refused_and_nothing_written(tmp_path: Path, arguments: list[str]) -> None:
    with pytest.raises(im.ConfigError, match=r": got .*, want "):
        init(tmp_path / "new", *arguments)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "--objective-latency-warning=6",
            "--objective-latency-warning: got 6.0, want less than --objective-latency-critical, 5",
        ),
        ("--retention=1d1y", "--retention: got '1d1y', want a duration such as 15d"),
        ("--webhook-url=http://[::1/", "--webhook-url: got 'http://[::1/', want a URL with a host"),
        ("--webhook-url=http://x:0/", "port of --webhook-url: got 0, want a port"),
        ("--target=job_name", "--target: got 'job_name', want HOST:PORT"),
        (
            "--grafana-port=9090",
            "--grafana-port: got 9090, want another port than --prometheus-port",
        ),
    ],
)
def test_errors_name_what_was_typed(tmp_path: Path, option: str, message: str) -> None:
    with pytest.raises(im.ConfigError) as refused:
        init(tmp_path / "new", option)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize("format", ["compose", "local", "operator"])
def test_what_comes_next_can_be_pasted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    folder = tmp_path / "a b $(touch made) 'c'"
    assert init(folder, "--format", format) == 0
    last = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ")
    assert any(str(folder) in word for word in shlex.split(last))
    echoed = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {last}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert echoed.stdout.splitlines() == shlex.split(last)
    assert not (tmp_path / "made").exists()


def test_no_folder_is_not_this_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        init("")
    assert ended.value.code == 2
    assert "argument DIR: got '', want a folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["--format=helm"], ["--objective-latency-warning=soon"], ["--nonsense"]]
)
def test_a_wrong_option_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        init(tmp_path / "new", *arguments)
    assert ended.value.code == 2
    assert arguments[0].partition("=")[0] in capsys.readouterr().err


def test_a_latency_between_two_edges_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path / "exact", "--objective-latency-warning=0.5")
    assert "note:" not in capsys.readouterr().out
    init(tmp_path / "between", "--objective-latency-warning=0.7")
    assert "note: --objective-latency-warning=0.7: no bucket of the histogram ends there" in (
        capsys.readouterr().out
    )


def test_a_scrape_limit_beyond_the_timeout_is_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path, "--scrape-interval=1")
    assert "note: --objective-scrape-duration=1: scrapes are given up after 1 s" in (
        capsys.readouterr().out
    )
    init(tmp_path, "--scrape-interval=1.5", "--force")
    assert "note:" not in capsys.readouterr().out


def documented_commands() -> list[str]:
    """Every ``inferometer monitoring init`` of the documents and of the files themselves."""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    texts.append((ROOT / "configs/prometheus-multi-target.yml").read_text(encoding="utf-8"))
    whole = "\n".join(texts).replace("\\\n", " ")
    found = re.findall(r"inferometer monitoring init ([^`\n]*)", whole)
    return sorted({command.strip() for command in found if command.strip()})


@pytest.mark.parametrize("command", documented_commands())
def test_the_documented_commands_are_taken(tmp_path: Path, command: str) -> None:
    folder, *options = shlex.split(command)
    if folder.startswith("--"):  # without a folder: --help
        with pytest.raises(SystemExit, match="0"):
            init(folder)
        return
    assert init(tmp_path / folder, *options) == 0


def test_the_documented_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert 'job="resnet"' in capsys.readouterr().out
    assert (tmp_path / "monitoring/prometheus.yml").exists()


def test_the_edges_that_it_knows_are_those_of_the_histogram() -> None:
    (bounds,) = (row[3] for row in _core.catalogue() if row[0] == "inference_latency_seconds")
    edges = [float(bound) for bound in bounds if bound != "+Inf"]
    assert list(init_command._EDGES) == [edge for edge in edges if edge >= 0.025]


def test_nothing_but_the_package_is_needed(tmp_path: Path) -> None:
    program = f"""
import sys
for missing in ("yaml", "promql_parser", "numpy.testing", "pytest", "starlette"):
    sys.modules[missing] = None
import argparse
from inferometer.monitoring import init_command
parser = argparse.ArgumentParser()
init_command.add_arguments(parser)
sys.exit(init_command.run(parser.parse_args([{str(tmp_path)!r}])))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert files_below(tmp_path) == files_below(ROOT / "configs")


def test_the_help_names_every_threshold(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        init("--help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for name in Objectives.ranges():
        assert f"--objective-{name.replace('_', '-')}" in text
        assert f"(default: {getattr(Objectives(), name)})" in text
