"""``inferometer rules check``: its output, exit status, and what it refuses."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from inferometer.monitoring import rules_command
from inferometer.monitoring.lint import CHECKS

ROOT = Path(__file__).resolve().parents[2]
BAD = ROOT / "tests/data/bad_rules"
ERROR, WARNING = str(BAD / "value-outside-range.yml"), str(BAD / "threshold-between-buckets.yml")
GOOD = str(ROOT / "configs/prometheus-alerts.yml")


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser("inferometer rules check")
    rules_command.add_arguments(parser)
    return rules_command.run(parser.parse_args(arguments))


def test_exit_status_and_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GOOD) == 0
    rules = Path(GOOD).read_text(encoding="utf-8").count("- alert: ")
    summary = f"{rules} rules and 0 dashboards checked: 0 errors, 0 warnings\n"
    assert capsys.readouterr().out == summary
    assert run(WARNING) == 0
    assert run(WARNING, "--warnings-as-errors") == 1
    assert run(ERROR, "--ignore", "value-outside-range,always-true") == 0
    capsys.readouterr()
    assert run(ERROR) == 1
    line, summary = capsys.readouterr().out.splitlines()
    assert line == (
        f"{ERROR}:5: error[value-outside-range]: group example, alert Example: got "
        "nv_gpu_utilization > 90, but the value is 0 to 1 (nv_gpu_utilization): want a limit "
        "within that; write 0.9"
    )
    assert summary.endswith("1 errors, 0 warnings")


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ERROR, "--format", "json") == 1
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["check"] == "value-outside-range"
    assert (finding["path"], finding["line"]) == (ERROR, 5)
    assert run(GOOD, "--format=json") == 0
    assert json.loads(capsys.readouterr().out) == []


def test_github(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "a,b:100%.yml"
    path.write_text(Path(ERROR).read_text())
    assert run(str(path), "--format=github") == 1
    name = str(path).replace("%", "%25").replace(":", "%3A").replace(",", "%2C")
    out = capsys.readouterr().out
    assert out.startswith(f"::error file={name},line=5,title=value-outside-range::group example, ")


def test_list_checks(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--list-checks") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[c.name, c.severity] for c in CHECKS.values()]


def test_runbooks_metrics_and_configuration(tmp_path: Path) -> None:
    book = str(BAD / "runbook-not-found.yml")
    assert run(book) == 0
    assert run(book, "--runbooks", str(BAD / "runbooks")) == 1
    board = str(BAD / "bucket-of-counter.yml")
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "scrape_configs:\n- metric_relabel_configs:\n"
        "  - {source_labels: [__name__], regex: nv_inference_request_latency_us_(.*),\n"
        "     target_label: __name__, replacement: nv_inference_request_duration_us_$1}\n"
    )
    assert run(board) == 1
    assert run(board, "--prometheus-config", str(config)) == 0
    exposition = tmp_path / "metrics.txt"
    exposition.write_text("# TYPE nv_inference_request_total counter\nnv_inference_request_total 1")
    mine = tmp_path / "mine.yml"
    mine.write_text(
        "groups: [{name: g, rules: [{record: r, expr: 'rate(nv_inference_request_total[5m])'}]}]"
    )
    assert run(str(mine)) == 1
    assert run(str(mine), "--metrics", str(exposition)) == 0


def test_settings_of_scrapes_labels_and_severities(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yml"
    rules.write_text(
        "groups: [{name: g, rules: [{alert: A, for: 5m, expr: 'rate(inference_requests_total{"
        'zone="a"}[1m]) > 9\', labels: {severity: page}, annotations: {summary: s, description: d}}'
        "]}]"
    )
    assert run(str(rules)) == 1
    assert run(str(rules), "--target-labels=zone", "--severities=page,ticket") == 0
    same = (str(rules), "--target-labels=zone", "--severities=page")
    assert run(*same, "--scrape-interval=20s") == 0  # a warning
    assert run(*same, "--scrape-interval=1m") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "got no files, want at least one"),
        ([GOOD, "--ignore=always-tru"], "got --ignore always-tru, want the name of a check: did"),
        ([GOOD, "--scrape-interval=x"], "got --scrape-interval x, want a duration"),
        ([GOOD, "--runbooks=none"], "got --runbooks none, want a folder"),
        ([GOOD, "--metrics=none"], "--metrics none:1: cannot be read: No such file"),
        ([GOOD, "--metrics=http://127.0.0.1:1/metrics"], "cannot be read: <urlopen error"),
        ([GOOD, f"--prometheus-config={GOOD}"], "got no scrape_configs"),
    ],
)
def test_bad_arguments(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("inferometer: rules check: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_metrics_from_a_url(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    import inferometer as im

    registry = im.Registry()
    registry.gauge("my_depth", "Depth.").set(1.0)
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{record: r, expr: 'rate(my_depth[5m])'}]}]")
    with im.serve_metrics(port=0, registry=registry) as listener:
        url = f"http://127.0.0.1:{listener.port}/metrics"
        assert run(str(rules), "--metrics", url) == 1
    assert "rate-on-gauge" in capsys.readouterr().out
