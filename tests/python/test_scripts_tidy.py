"""scripts/tidy.py: sources of a target are read together, findings are those of each by itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import tidy

if shutil.which("clang-tidy") is None:
    pytest.skip("clang-tidy is not installed", allow_module_level=True)

UNUSED = "namespace {\nconstexpr int kUnused = 3;\ninline int unused() { return 1; }\n}\n"
ARGUMENTS = ["--", "--checks=-*,clang-diagnostic-*,modernize-use-nullptr"]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A compile database of two targets: a, b and c of one, d of another."""
    sources = {"a": "int a() { return 1; }", "b": f"\n{UNUSED}", "c": "int* c = 0;", "d": "bad"}
    entries = []
    for name, text in sources.items():
        (tmp_path / f"{name}.cc").write_text(text, encoding="utf-8")
        target = "other" if name == "d" else "one"
        command = f"c++ -Wall -o {target}.dir/{name}.cc.o -c {tmp_path}/{name}.cc"
        entry = {"directory": str(tmp_path), "command": command, "file": f"{tmp_path}/{name}.cc"}
        entries.append(entry)
    (tmp_path / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
    return tmp_path


def run(
    build: Path, capfd: pytest.CaptureFixture[str], *names: str, alone: bool = False
) -> tuple[int, list[str]]:
    """Its exit status, and `source:line` and check of each finding."""
    sources = [str(build / f"{name}.cc") for name in names]
    status = tidy.main([*(["--alone"] if alone else []), str(build), *sources, *ARGUMENTS])
    lines = [line for line in capfd.readouterr().out.splitlines() if "warning:" in line]
    return status, sorted(
        f"{Path(line.split(':')[0]).name}:{line.split(':')[1]} {line.split('[')[1]}"
        for line in lines
    )


@pytest.mark.parametrize("alone", [False, True])
def test_findings_are_those_of_the_sources(
    build: Path, capfd: pytest.CaptureFixture[str], alone: bool
) -> None:
    _, found = run(build, capfd, "a", "b", "c", alone=alone)
    assert found == [
        "b.cc:3 clang-diagnostic-unused-const-variable]",
        "b.cc:4 clang-diagnostic-unused-function]",
        "c.cc:1 modernize-use-nullptr]",
    ]
    assert len(list((build / "tidy").glob("*.cc"))) == (3 if alone else 1)


def test_a_finding_that_is_an_error_fails(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(build, capfd, "a", "b")[0] == 0
    assert run(build, capfd, "a", "d")[0] == 1
    assert len(list((build / "tidy").glob("*.cc"))) == 2


def test_a_source_of_no_target_is_named(build: Path) -> None:
    with pytest.raises(SystemExit, match=r"gone\.cc"):
        tidy.main([str(build), str(build / "gone.cc"), *ARGUMENTS])
