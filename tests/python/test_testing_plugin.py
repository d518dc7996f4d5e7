"""The pytest plugin as its users meet it: sessions of their own, each in a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import ROOT
from inferometer.testing import ToolMissingError, tools
from lab_rules import RULES

INI = """
[pytest]
alerts_rules = rules.yml
addopts = -p no:cacheprovider
filterwarnings = error
"""
LOAD = """
def exposition(now):
    return f"load {20 if 60 <= now < 240 else 5}\\n"
"""
MARK = "import pytest\npytestmark = pytest.mark.alert_lab(exposition=exposition)\n"
FIRES = """
def test_it_fires(alert_lab):
    alert_lab.run("5m")
    alert_lab.assert_fires("LoadHigh", labels={"job": "triton"})
"""


def session(
    folder: Path,
    test: str,
    *arguments: str,
    status: int = 0,
    ini: str = "",
    rules: str = RULES,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Runs pytest on one file in a process of its own; returns what it printed."""
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    (folder / "pytest.ini").write_text(INI + ini, encoding="utf-8")
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    # What pytest says of wrong options goes to stderr.
    return done.stdout if status != pytest.ExitCode.USAGE_ERROR else done.stderr


@pytest.fixture
def promtool() -> None:
    """Skips where it is missing."""
    try:
        tools.find("promtool")
    except ToolMissingError as missing:
        pytest.skip(str(missing))


NO_TOOLS = {"INFEROMETER_TOOLS": "", "PATH": "", "INFEROMETER_CACHE": "/nowhere"}


def test_importing_it_loads_no_native_module() -> None:
    program = (
        "import sys, inferometer.testing, inferometer.testing.plugin\n"
        "print([name for name in ('numpy', 'inferometer._core', 'yaml', 'promql_parser')"
        " if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_a_session_that_uses_no_fixture_loads_none(tmp_path: Path) -> None:
    test = """
import sys
def test_it():
    assert "numpy" not in sys.modules and "inferometer._core" not in sys.modules
"""
    session(tmp_path, test)


def test_names_that_do_not_exist() -> None:
    import inferometer.testing

    with pytest.raises(AttributeError, match=r"'inferometer\.testing' has no attribute 'nothing'"):
        inferometer.testing.nothing  # noqa: B018


@pytest.mark.usefixtures("promtool")
def test_the_fixture_has_the_rules_of_the_ini_file(tmp_path: Path) -> None:
    assert "1 passed" in session(tmp_path, LOAD + MARK + FIRES)


@pytest.mark.usefixtures("promtool")
def test_rules_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text("groups: [{name: g, rules: [{alert: B, expr: load > 1}]}]")
    test = (
        LOAD + MARK + "def test_it(alert_lab):\n    print([r.name for r in alert_lab.rules.alerts])"
    )
    assert "['B']" in session(tmp_path, test, "--alerts-rules=other.yml", "-s")


@pytest.mark.usefixtures("promtool")
def test_markers_of_a_test_add_to_those_of_its_module(tmp_path: Path) -> None:
    test = (
        LOAD
        + MARK
        + """
@pytest.mark.alert_lab(job="mine")
def test_it(alert_lab):
    alert_lab.run("5m")
    alert_lab.assert_fires("LoadHigh", labels={"job": "mine"})
"""
    )
    session(tmp_path, test)


@pytest.mark.usefixtures("promtool")
@pytest.mark.parametrize(
    ("marker", "text"),
    [("rulez=1", "got the option 'rulez', want one of rules"), ("1", "got (1,), want keywords")],
)
def test_wrong_markers(tmp_path: Path, marker: str, text: str) -> None:
    test = f"import pytest\n@pytest.mark.alert_lab({marker})\ndef test_it(alert_lab): pass\n"
    assert text in session(tmp_path, test, status=1)


@pytest.mark.usefixtures("promtool")
def test_the_failure_of_an_assertion_is_its_explanation(tmp_path: Path) -> None:
    printed = session(tmp_path, LOAD + MARK + FIRES.replace("job", "severity"), status=1)
    assert "held back by: label mismatch" in printed
    assert "····▒▒▒▒████████" in printed


@pytest.mark.usefixtures("promtool")
def test_coverage(tmp_path: Path) -> None:
    printed = session(tmp_path, LOAD + MARK + FIRES, "--alerts-coverage")
    assert "1 of 6 alerts were made to fire by a test that asserts it (17 %)" in printed
    assert f"never: SlowPages ({tmp_path / 'rules.yml'})" in printed
    assert "never: LoadHigh" not in printed
    assert "alert coverage" not in session(tmp_path, LOAD + MARK + FIRES)


@pytest.mark.usefixtures("promtool")
@pytest.mark.parametrize(("required", "status"), [(16, 0), (17, 1)])
def test_required_coverage(tmp_path: Path, required: int, status: int) -> None:
    printed = session(tmp_path, LOAD + MARK + FIRES, f"--alerts-require={required}", status=status)
    assert ("FAILED: got 16.7 %, want 17 % or more" in printed) == (status == 1)


@pytest.mark.usefixtures("promtool")
def test_labs_made_by_a_lab_count(tmp_path: Path) -> None:
    test = FIRES.replace("alert_lab.run", "alert_lab = alert_lab.fresh()\n    alert_lab.run")
    assert "1 of 6 alerts" in session(tmp_path, LOAD + MARK + test, "--alerts-coverage")


@pytest.mark.usefixtures("promtool")
def test_mutation(tmp_path: Path) -> None:
    (tmp_path / "survivors.yml").write_text("[]")
    ini = "alerts_survivors = survivors.yml\n"
    printed = session(tmp_path, LOAD + MARK + FIRES, "--alerts-mutation", status=1, ini=ini)
    survived = [line for line in printed.splitlines() if "survived:" in line]
    # Nobody asserts that it is quiet at a low load; and of the others nobody asserts anything.
    assert any("LoadHigh: comparison flipped" in line for line in survived)
    assert not any("job:load:max" in line and "by label" in line for line in survived)
    assert any("ErrorsHigh: threshold x 10" in line for line in survived)


@pytest.mark.parametrize("option", ["--alerts-mutation", "--alerts-coverage", "--alerts-require=0"])
def test_what_is_counted_is_counted_in_one_process(tmp_path: Path, option: str) -> None:
    pytest.importorskip("xdist")
    test = "def test_it(): pass\n"
    printed = session(tmp_path, test, "-n", "2", option, status=pytest.ExitCode.USAGE_ERROR)
    assert f"{option.partition('=')[0]}: got tests in several processes" in printed
    session(tmp_path, test, "-n", "2")
    session(tmp_path, test, "-n", "0", "--alerts-coverage")


def test_a_missing_promtool_skips(tmp_path: Path) -> None:
    printed = session(tmp_path, LOAD + MARK + FIRES, "-rs", environment=NO_TOOLS)
    assert "1 skipped" in printed
    assert "promtool: got none in INFEROMETER_TOOLS" in printed


def test_a_missing_promtool_can_be_a_failure(tmp_path: Path) -> None:
    test = LOAD + MARK + FIRES
    printed = session(tmp_path, test, "--alerts-require-tools", status=1, environment=NO_TOOLS)
    assert "promtool: got none in INFEROMETER_TOOLS" in printed
    assert "skipped" not in printed


@pytest.mark.usefixtures("promtool")
@pytest.mark.parametrize(("option", "status"), [((), 0), (("--alerts-require-tools",), 1)])
def test_what_turns_out_to_be_missing_later(
    tmp_path: Path, option: tuple[str, ...], status: int
) -> None:
    test = """
import pytest
@pytest.mark.alert_lab(gpus=[{"utilization": 5}])
def test_it(alert_lab):
    alert_lab.run("1m")
"""
    nowhere = str(tmp_path / "nothing.so")
    printed = session(
        tmp_path,
        test,
        "-rs",
        *option,
        status=status,
        environment={"INFEROMETER_FAKE_NVML": nowhere},
    )
    assert f"fake NVML: got none at {nowhere}, want the library" in printed


def test_options_are_documented(tmp_path: Path) -> None:
    printed = session(tmp_path, "", "--help")
    text = (ROOT / "docs/alert_testing.md").read_text(encoding="utf-8")
    for option in ("rules", "coverage", "require", "mutation", "require-tools"):
        assert f"--alerts-{option}" in printed
        assert f"`--alerts-{option}" in text
    for key in ("alerts_rules", "alerts_prometheus", "alerts_alertmanager", "alerts_survivors"):
        assert f"{key} (" in printed
        assert f"`{key}`" in text


@pytest.mark.usefixtures("promtool")
def test_the_first_test_of_the_docs(tmp_path: Path) -> None:
    text = (ROOT / "docs/alert_testing.md").read_text(encoding="utf-8")

    def block(language: str) -> str:
        found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
        assert found is not None
        return found[1]

    rules, test = block("yaml"), block("python")
    assert "alerts_rules = rules.yml\n" in block("ini")
    assert len([line for line in test.splitlines() if line]) <= 10
    assert "1 passed" in session(tmp_path, test, rules=rules)
    strict = session(tmp_path, test, rules=rules.replace("> 2", "> 5"), status=1)
    shown = [line.removeprefix("E").strip() for line in strict.splitlines()]
    for line in block("text").splitlines():
        assert any(line.strip() in one for one in shown), line
