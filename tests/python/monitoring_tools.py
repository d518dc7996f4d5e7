"""The tools that check the monitoring files, and what they said."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferometer.monitoring import init_command

Rule = dict[str, Any]


def tool(folder: Path, *names: str) -> Path:
    """The first program of these names, in the folder, in $INFEROMETER_TOOLS or on the PATH."""
    places = [str(folder), os.environ.get("INFEROMETER_TOOLS", ""), os.environ.get("PATH", "")]
    for name in names:
        if found := shutil.which(name, path=os.pathsep.join(places)):
            return Path(found)
    pytest.skip(f"{names[0]} is not here: Debian's package prometheus-alertmanager has it")


def output_of(*command: str | Path) -> tuple[int, str]:
    """Exit status and output of a command."""
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def accepted(*command: str | Path) -> str:
    """The output of a command that has to succeed."""
    status, output = output_of(*command)
    assert status == 0, output
    return output


def load(path: Path) -> dict[str, Any]:
    """A YAML file."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def rules_of(content: dict[str, Any]) -> list[Rule]:
    """The rules of all groups, in order."""
    return [rule for group in content["groups"] for rule in group["rules"]]


def init(*arguments: str | Path) -> int:
    """``inferometer monitoring init`` with these arguments."""
    parser = argparse.ArgumentParser()
    init_command.add_arguments(parser)
    return init_command.run(parser.parse_args([str(argument) for argument in arguments]))


def files_below(folder: Path) -> dict[str, str]:
    """The texts of all files, by path below the folder."""
    return {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in walk(folder)
        if path.is_file()
    }


def walk(folder: Path) -> Iterable[Path]:
    """Everything below a folder, in order."""
    return sorted(folder.rglob("*"))
