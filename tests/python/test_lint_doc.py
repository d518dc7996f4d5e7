"""docs/rules_check.md lists every check as ``--list-checks`` does, and every option."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from inferometer.monitoring import rules_command
from inferometer.monitoring.lint import CHECKS

PAGE = (Path(__file__).resolve().parents[2] / "docs/rules_check.md").read_text(encoding="utf-8")


def cells(line: str) -> list[str]:
    return [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def one_line(text: str) -> str:
    return " ".join(text.split())


def test_the_tables_are_the_checks() -> None:
    rows = [cells(line) for line in PAGE.splitlines() if re.match(r"\| `[a-z-]+` \| \w+ \| ", line)]
    assert rows == [
        [f"`{c.name}`", c.severity, one_line(c.finds), f"`{one_line(c.wrong)}`",
         f"`{one_line(c.right)}`"]
        for c in CHECKS.values()
    ]  # fmt: skip


def test_every_option_is_described() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    rules_command.add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    described = set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE))
    assert described == options


def test_the_example_output_is_real() -> None:
    from inferometer.monitoring.lint import check_files

    folder = Path(__file__).resolve().parents[1] / "data/bad_rules"
    (finding,) = check_files([folder / "value-outside-range.yml"])
    assert str(finding).removeprefix(str(folder / "value-outside-range.yml")) in PAGE
