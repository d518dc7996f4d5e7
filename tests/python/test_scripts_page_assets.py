"""scripts/fetch_page_assets.sh: what one level has brought, the other does not take away."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

FILES = ("package.json", "package-lock.json", ".npmrc")
SCRIPTS = ("fetch_page_assets.sh", "progress.sh")
# As npm ci: everything anew, without what it is not asked for.
NPM = """\
#!/bin/bash
set -eu
box=$2
echo "$*" >>"$CALLS"
rm -rf "$box/node_modules"
[ ! -e "$CALLS.fail" ] || exit 1
mkdir -p "$box/node_modules/uplot/dist"
touch "$box"/node_modules/uplot/{package.json,LICENSE,dist/uPlot.iife.min.js,dist/uPlot.min.css}
case " $* " in *" --omit=dev "*) exit ;; esac
mkdir -p "$box/node_modules/playwright-core"
touch "$box/node_modules/playwright-core/package.json"
"""


class Project:
    """The script in a project of its own, with an npm that notes its calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls = folder / "calls"
        for name in FILES:
            shutil.copy(ROOT / name, folder)
        (folder / "scripts").mkdir()
        for name in SCRIPTS:
            shutil.copy(ROOT / "scripts" / name, folder / "scripts")
        npm = folder / "bin/npm"
        npm.parent.mkdir()
        npm.write_text(NPM, encoding="utf-8")
        npm.chmod(0o755)

    def fetch(self, level: str, status: int = 0) -> int:
        """How often npm was called."""
        self.calls.write_text("")
        done = subprocess.run(
            [self.folder / "scripts/fetch_page_assets.sh", level],
            env={
                **os.environ,
                "PATH": f"{self.folder}/bin:/usr/bin:/bin",
                "CALLS": str(self.calls),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return len(self.calls.read_text().splitlines())

    def has(self, package: str) -> bool:
        return (self.folder / "build/page/node_modules" / package / "package.json").exists()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_the_higher_level_stays(project: Project) -> None:
    assert project.fetch("charts") == 1
    assert not project.has("playwright-core")
    assert project.fetch("charts") == 0
    assert project.fetch("browser") == 1
    assert project.has("playwright-core")
    assert [project.fetch(level) for level in ("charts", "browser", "charts")] == [0, 0, 0]
    assert project.has("uplot") and project.has("playwright-core")


def test_other_versions_are_fetched_for_the_level_that_is_there(project: Project) -> None:
    project.fetch("browser")
    with (project.folder / "package.json").open("a") as file:
        file.write("\n")
    assert project.fetch("charts") == 1
    assert project.has("playwright-core")
    assert project.fetch("browser") == 0


def test_what_is_gone_comes_again(project: Project) -> None:
    project.fetch("charts")
    shutil.rmtree(project.folder / "build/page/node_modules")
    assert project.fetch("charts") == 1
    # An npm that failed has left nothing that could be taken for a whole.
    (project.folder / "calls.fail").touch()
    assert project.fetch("browser", status=1) == 1
    (project.folder / "calls.fail").unlink()
    assert project.fetch("charts") == 1
    assert project.has("uplot")
