"""The small scripts around runs: counting tests, bench lines, records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bench_lines
import count_tests
import run_record

JUNIT = (
    '<testsuites><testsuite tests="10" failures="1" errors="1" skipped="2" time="3.5"/>'
    "</testsuites>"
)


def test_gtest_and_pytest_are_added_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, failures in (("gtest-release", 1), ("gtest-asan", 0)):
        (tmp_path / folder).mkdir()
        report = {"tests": 5, "failures": failures, "disabled": 1}
        (tmp_path / folder / "test_base.json").write_text(json.dumps(report), encoding="utf-8")
    (tmp_path / "pytest.xml").write_text(JUNIT, encoding="utf-8")
    count_tests.main([str(tmp_path), "1"])
    assert capsys.readouterr().out.splitlines() == [
        "GoogleTest: 7 passed, 1 failed",
        "pytest: 6 passed, 2 failed, 2 skipped in 3.50s",
        "13 passed, 3 failed",
    ]


def test_a_failed_stage_without_a_failing_test_counts_as_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count_tests.main([str(tmp_path), "1"])
    assert capsys.readouterr().out.splitlines()[-1] == "0 passed, 1 failed"
    count_tests.main([str(tmp_path), "0"])
    assert capsys.readouterr().out.splitlines() == ["0 passed, 0 failed"]


def test_bench_lines_are_in_seconds() -> None:
    entry = {
        "name": "BM_Observe/threads:2",
        "run_name": "BM_Observe",
        "run_type": "iteration",
        "iterations": 1000,
        "real_time": 25.0,
        "cpu_time": 50.0,
        "time_unit": "ns",
        "allocations": 0.0,
    }
    (line,) = bench_lines.lines({"context": {}, "benchmarks": [entry]})
    assert line == {
        "name": "BM_Observe/threads:2",
        "iterations": 1000,
        "allocations": 0.0,
        "real_time_seconds": pytest.approx(25e-9),
        "cpu_time_seconds": pytest.approx(50e-9),
    }


def test_a_record_says_what_is_needed_to_run_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_record, "ROOT", tmp_path)
    path = run_record.write("bench", {"name": "x"}, [1, 2], data="none")
    record = json.loads(path.read_text(encoding="utf-8"))
    assert path.parent == tmp_path / "build/records"
    assert record["settings"] == {"name": "x"}
    assert record["observed"] == [1, 2]
    assert record["device"] == "cpu"
    assert record["commit"] == "unknown"
    assert record["machine"]["memory_bytes"] > 0
    assert "numpy" in record["versions"]
