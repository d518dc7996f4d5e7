"""Whatever a file holds, the checks give findings and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inferometer.monitoring.lint import CHECKS, check_files
from inferometer.monitoring.lint.parsing import MAX_LENGTH, ExpressionError, parse
from inferometer.monitoring.lint.source_text import MAX_BYTES, read_source

relaxed = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
VOCABULARY = """
groups name rules alert record expr for labels annotations interval severity up inference_
inference_requests_total inference_latency_seconds_bucket nv_gpu_utilization rate( sum by( le ) (
[5m] {job="triton"} { } [ ] > == 0.9 1e999 -1 and or unless on ignoring group_left * / $x
$__range histogram_quantile( 0.95 , absent( vector( {{ }} $labels.x $value | humanize panels
targets type row templating list query fieldConfig gridPos x w title datasource uid refId
9999999999999999y
"""
WORDS = st.sampled_from(VOCABULARY.split())
SOUP = st.lists(WORDS | st.text(max_size=5), max_size=25).map(" ".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SOUP,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner),
    max_leaves=20,
)


def findings(path: Path, text: str) -> list[str]:
    path.write_text(text, encoding="utf-8", errors="replace", newline="")
    found = check_files([path])
    assert all(finding.check in CHECKS and "\n" not in str(finding) for finding in found)
    return [finding.check for finding in found]


@relaxed
@given(SOUP)
def test_any_expression(text: str) -> None:
    try:
        parse(text)
    except ExpressionError as error:
        assert 0 <= error.offset <= len(text)


@relaxed
@given(st.lists(st.tuples(SOUP, SOUP), max_size=4))
def test_any_rules(tmp_path: Path, rules: list[tuple[str, str]]) -> None:
    entries = [{"alert": "A", "expr": e, "annotations": {"summary": t}} for e, t in rules]
    document = {"groups": [{"name": "g", "rules": entries}]}
    findings(tmp_path / "rules.yml", yaml.safe_dump(document))


@relaxed
@given(SOUP | st.text() | JSON.map(lambda value: json.dumps(value, indent=1)))
def test_any_yaml(tmp_path: Path, text: str) -> None:
    findings(tmp_path / "any.yml", text)


@relaxed
@given(SOUP | JSON.map(lambda value: json.dumps(value, indent=1)))
def test_any_json(tmp_path: Path, text: str) -> None:
    findings(tmp_path / "any.json", text)


@relaxed
@given(st.lists(st.dictionaries(WORDS, JSON), max_size=3), JSON, JSON)
def test_any_dashboard(tmp_path: Path, panels: Any, templating: Any, annotations: Any) -> None:
    board = {"panels": panels, "templating": templating, "annotations": annotations, "title": 1}
    findings(tmp_path / "any.json", json.dumps(board))


def deep(count: int) -> str:
    return "(" * count + "up" + ")" * count


@pytest.mark.parametrize("count", [10, 149, 151, 5000])
@pytest.mark.parametrize(
    "form",
    [
        deep,
        lambda n: "-" * n + "up",
        lambda n: "up" + " + up" * n,
        lambda n: "up" + " or up" * n,
        lambda n: "up" + " > up" * n,
        lambda n: "sum(" * n + "up" + ")" * n,
        lambda n: "abs(" * n,
    ],
)
def test_deep_expressions_are_bounded(
    tmp_path: Path, count: int, form: Callable[[int], str]
) -> None:
    rules = {"groups": [{"name": "g", "rules": [{"record": "r", "expr": form(count)}]}]}
    found = findings(tmp_path / "deep.yml", yaml.safe_dump(rules, width=1_000_000))
    assert ("syntax-error" in found) == (count > 150 or form(1) == "abs(")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yml", b"groups: [", "not YAML"),
        ("a.yml", b"a: 1\n---\na: 2\n", "not YAML"),
        ("a.yml", b"\xff\xfe", "not UTF-8"),
        ("a.yml", b"a: &a [*a, *a]\ngroups: *a\n", "want groups only"),
        ("a.json", b'{"panels": [', "not JSON"),
        ("a.json", b'{"panels": ' + b"[" * 100_000, "nested too deeply"),
        ("a.json", b'{"panels": [' + b"9" * 5000 + b"]}", "not JSON"),
        ("a.json", b"[]", "want a dashboard"),
        ("a.yml", b" " * (MAX_BYTES + 1), "want a smaller file"),
        ("a.yml", b"", "want `groups:`"),
        ("a.yml", b"scrape_configs: []", "is given as --prometheus-config"),
    ],
)
def test_broken_files_get_a_finding(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    found = check_files([path])
    assert message in str(found[0])
    assert found[0].check in ("broken-file", "file-structure")


def test_files_that_cannot_be_read_get_a_finding(tmp_path: Path) -> None:
    found = check_files([tmp_path / "none.yml", tmp_path])
    assert {finding.message for finding in found} == {
        "cannot be read: Is a directory",
        "cannot be read: No such file or directory",
    }


def test_a_pipe_is_read_while_somebody_writes() -> None:
    script = "import time; print('groups:'); time.sleep(0.3); print('- name: g')"
    with subprocess.Popen([sys.executable, "-uc", script], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        text = read_source(Path(f"/dev/fd/{writer.stdout.fileno()}"))
    assert text == "groups:\n- name: g\n"


def test_a_pipe_to_which_nobody_writes_gets_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inferometer.monitoring.lint.source_text._WAIT_SECONDS", 0.1)
    os.mkfifo(tmp_path / "rules.yml")
    (finding,) = check_files([tmp_path / "rules.yml"])
    assert finding.message == (
        "cannot be read: nothing came for 0.1 s, and it is no file: want a file"
    )


def test_merged_mappings_do_not_grow_without_bound(tmp_path: Path) -> None:
    # The billion laughs: each level merges the one before ten times.
    levels = ["a0: &a0 {k: v}"]
    levels += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    assert "file-structure" in findings(tmp_path / "laughs.yml", "\n".join(levels))


def test_a_long_expression_is_refused() -> None:
    with pytest.raises(ExpressionError, match=f"want at most {MAX_LENGTH}"):
        parse("up + " * MAX_LENGTH)
