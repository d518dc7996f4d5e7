#!/usr/bin/env python3
"""Runs clang-tidy on several sources at a time. Standard library only.

Usage: scripts/tidy.py [--alone] BUILD SOURCES... -- ARGUMENTS...
  BUILD      the folder of a compile_commands.json that has each source by itself
  ARGUMENTS  for clang-tidy
  --alone    one source at a time

Nearly all of its time goes into headers, the same ones for each source. The sources of a target are
written one after the other into files of BUILD/tidy, which it reads instead, as many at once as
there are processors; what it says of a line there is printed as said of the source's. They are
written out, not included: of what a file does not use clang warns in the main file only. That a
source includes what it needs is not seen this way: scripts/check_includes.py sees to that.
"""

from __future__ import annotations

import bisect
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

TOGETHER = 24
NOISE = re.compile(
    r"^\d+ warnings? (generated|treated)|^Error while processing|Processing file|^\[\d+/\d+\]"
)


class Unit(NamedTuple):
    """A file of several sources: where it is, and in which of its lines each of them starts."""

    path: Path
    starts: list[int]
    sources: list[str]

    def source_line(self, line: int) -> str:
        """Returns `source:line` for a line of the unit."""
        place = bisect.bisect_right(self.starts, line) - 1
        return f"{self.sources[place]}:{line - self.starts[place] + 1}"


class Target(NamedTuple):
    """Sources that are compiled alike: in which folder, with which command."""

    directory: str
    command: list[str]
    sources: list[Path]


def targets(build: Path, wanted: set[Path]) -> list[Target]:
    """Returns the targets of a CMake build with those of their sources that are wanted."""
    found: dict[str, Target] = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        source = Path(entry["directory"], entry["file"]).resolve()
        if source in wanted:
            command = shlex.split(entry["command"])
            output = command.index("-o")
            name = command[output + 1].split(".dir/")[0]
            del command[output : output + 2]
            command.remove(entry["file"])
            target = found.setdefault(name, Target(entry["directory"], command, []))
            target.sources.append(source)
    missing = wanted.difference(*(target.sources for target in found.values()))
    if missing:
        sys.exit(f"not in {build}: {', '.join(str(path) for path in sorted(missing))}")
    return list(found.values())


def write_units(build: Path, wanted: set[Path], together: int) -> list[Unit]:
    """Writes the units and their compile_commands.json; returns them, the slowest to read first."""
    folder = build / "tidy"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    units: list[Unit] = []
    entries = []
    for directory, command, sources in targets(build, wanted):
        sources.sort()
        count = -(-len(sources) // together)
        for number in range(count):
            unit = Unit(folder / f"unit_{len(units)}.cc", [], [])
            text = ""
            for source in sources[number::count]:
                unit.starts.append(text.count("\n") + 1)
                unit.sources.append(os.path.relpath(source))
                text += source.read_text(encoding="utf-8") + "\n"
            unit.path.write_text(text, encoding="utf-8")
            entry = {"directory": directory, "file": str(unit.path)}
            entries.append({**entry, "arguments": [*command, str(unit.path)]})
            units.append(unit)
    (folder / "compile_commands.json").write_text(json.dumps(entries), encoding="utf-8")
    return sorted(units, key=lambda unit: len(unit.sources), reverse=True)


def tidy(unit: Unit, arguments: list[str]) -> bool:
    """Runs clang-tidy on a unit and prints what it says; whether it found nothing."""
    done = subprocess.run(
        ["clang-tidy", "-p", str(unit.path.parent), "--quiet", *arguments, str(unit.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    place = re.compile(rf"{re.escape(str(unit.path))}:(\d+)")
    for line in done.stdout.splitlines():
        if not NOISE.search(line):
            print(place.sub(lambda match: unit.source_line(int(match.group(1))), line), flush=True)
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """Returns 1 if there is a finding."""
    if "--" not in arguments:
        sys.exit(__doc__)
    together = TOGETHER
    if arguments[0] == "--alone":
        together = 1
        del arguments[0]
    split = arguments.index("--")
    build, sources = Path(arguments[0]).resolve(), arguments[1:split]
    units = write_units(build, {Path(source).resolve() for source in sources}, together)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        good = list(pool.map(lambda unit: tidy(unit, arguments[split + 1 :]), units))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
