#!/usr/bin/env python3
"""Runs prometheus_client's own tests with inferometer.prometheus in its place.

Usage: tests/compat/prometheus_client_suite.py [--against-itself]

The sdist comes from the package index, through pip, and is kept in build/compat. Tests that may
fail are listed in prometheus_client_exceptions.txt with their reasons; exits 1 if another one
fails, if one of them passes, or if fewer than 222 pass.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import NamedTuple

VERSION = "0.26.0"
FILES = ("test_core.py", "test_exposition.py", "test_asgi.py", "test_wsgi.py")
WANTED_PASSES = 222

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / "build" / "compat"
SDIST = CACHE / f"prometheus_client-{VERSION}.tar.gz"
EXCEPTIONS = HERE / "prometheus_client_exceptions.txt"


class Unavailable(Exception):
    """The sdist cannot be fetched."""


class Outcome(NamedTuple):
    """What became of the tests, by `file::class::name` without the folder."""

    passed: set[str]
    failed: dict[str, str]
    skipped: dict[str, str]
    output: str


def fetch() -> Path:
    """The folder of the unpacked sdist.

    Raises:
        Unavailable: If pip cannot fetch it.
    """
    folder = CACHE / SDIST.name.removesuffix(".tar.gz")
    if not SDIST.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--no-binary", "prometheus_client", "--dest", str(CACHE)),
                f"prometheus_client=={VERSION}",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not SDIST.exists():
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise Unavailable(f"pip cannot fetch prometheus_client {VERSION}: {lines[-1]}")
    if not folder.exists():
        with tarfile.open(SDIST) as archive:
            archive.extractall(CACHE, filter="data")
    return folder


def run(against_itself: bool = False) -> Outcome:
    """Runs the tests in a process of their own.

    Raises:
        Unavailable: If they cannot be fetched.
    """
    sources = fetch()
    report = CACHE / "report.xml"
    report.unlink(missing_ok=True)
    place = [] if against_itself else ["-p", "prometheus_client_placement"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *place),
            *("-c", "/dev/null", "--rootdir", str(sources), f"--junitxml={report}"),
            *(str(sources / "tests" / name) for name in FILES),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=sources / "tests",
        env={"PYTHONPATH": str(HERE), "PATH": "/usr/bin:/bin"},
    )
    outcome = Outcome(set(), {}, {}, done.stdout + done.stderr)
    if not report.exists():
        raise RuntimeError(f"pytest wrote no report:\n{outcome.output}")
    for case in ElementTree.parse(report).iter("testcase"):
        module, _, group = case.get("classname", "").partition(".test_")[2].partition(".")
        name = "::".join(filter(None, (f"test_{module}.py", group, case.get("name"))))
        bad = case.find("failure") if case.find("failure") is not None else case.find("error")
        skip = case.find("skipped")
        if bad is not None:
            outcome.failed[name] = bad.get("message", "")
        elif skip is not None:
            outcome.skipped[name] = skip.get("message", "")
        else:
            outcome.passed.add(name)
    return outcome


def exceptions() -> dict[str, str]:
    """Reasons by test: `file::class::name: reason` lines, `(flaky)` in front of some reasons."""
    listed = {}
    for line in EXCEPTIONS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition(": ")
            listed[name] = reason
    return listed


def problems(outcome: Outcome) -> list[str]:
    """What is not as the list of exceptions says."""
    listed = exceptions()
    found = [
        f"failed, and is not listed: {name}: {message}"
        for name, message in outcome.failed.items()
        if name not in listed
    ]
    found += [
        f"passed, but is listed: {name}"
        for name, reason in listed.items()
        if name in outcome.passed and not reason.startswith("(flaky)")
    ]
    if len(outcome.passed) < WANTED_PASSES:
        found.append(f"{len(outcome.passed)} passed, want at least {WANTED_PASSES}")
    return found


def main(arguments: list[str]) -> int:
    """Prints the outcome; 1 if it is not as it should be."""
    against_itself = "--against-itself" in arguments
    outcome = run(against_itself)
    for name, message in sorted(outcome.failed.items()):
        print(f"failed: {name}: {message.splitlines()[0] if message else ''}")
    for name, message in sorted(outcome.skipped.items()):
        print(f"skipped: {name}: {message}")
    print(
        f"prometheus_client {VERSION}: {len(outcome.passed)} passed, {len(outcome.failed)} failed, "
        f"{len(outcome.skipped)} skipped"
    )
    found = [] if against_itself else problems(outcome)
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
