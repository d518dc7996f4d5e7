"""Each committed bad file is refused by the check of its name alone; its counterpart passes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inferometer.monitoring.lint import CHECKS, Settings, check_files

FOLDER = Path(__file__).resolve().parents[1] / "data/bad_rules"
BAD = sorted(
    path
    for path in FOLDER.iterdir()
    if path.suffix in (".yml", ".json") and ".good" not in path.name
)
# With --runbooks a runbook_url is wanted of every alert.
SETTINGS = {"runbook-not-found": replace(Settings(), runbooks=FOLDER / "runbooks")}


def check_of(path: Path) -> str:
    return path.stem.split("--")[0]


def names(path: Path) -> list[str]:
    settings = SETTINGS.get(check_of(path), Settings())
    return [finding.check for finding in check_files([path], settings)]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_named_check_and_no_other_refuses_it(path: Path) -> None:
    assert set(names(path)) == {check_of(path)}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_its_good_counterpart_passes(path: Path) -> None:
    good = path.with_suffix(f".good{path.suffix}")
    assert check_files([good], SETTINGS.get(check_of(path), Settings())) == []


def test_there_is_a_bad_file_for_every_check() -> None:
    assert {check_of(path) for path in BAD} == set(CHECKS)
