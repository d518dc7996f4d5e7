"""Finding and fetching Prometheus and Alertmanager."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from inferometer.monitoring.stack import binaries

SCRIPT = ROOT / "python/inferometer/monitoring/stack/binaries.py"
ALL = ("prometheus", "promtool", "prometheus-alertmanager", "amtool")


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No programs but those that a test puts somewhere; a cache of the test's own."""
    monkeypatch.delenv("INFEROMETER_TOOLS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(binaries, "cache_folder", lambda: tmp_path / "cache")


def put(folder: Path, *names: str) -> Path:
    """Programs of these names in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


def test_the_named_folder_comes_before_path_and_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = put(tmp_path / "named", "prometheus")
    put(tmp_path / "path", "prometheus", "promtool", "alertmanager")
    put(binaries.programs_in(tmp_path / "cache"), *ALL)
    monkeypatch.setenv("INFEROMETER_TOOLS", str(named))
    found = binaries.find()
    assert found.prometheus == named / "prometheus"
    assert found.promtool == tmp_path / "path/promtool"
    assert found.alertmanager == tmp_path / "path/alertmanager"
    assert found.amtool == binaries.programs_in(tmp_path / "cache") / "amtool"


def test_debians_name_of_alertmanager_is_known(tmp_path: Path) -> None:
    put(tmp_path / "path", *ALL)
    assert binaries.find().alertmanager.name == "prometheus-alertmanager"


def test_what_cannot_be_run_is_not_taken(tmp_path: Path) -> None:
    (put(tmp_path / "path", *ALL) / "amtool").chmod(0o644)
    with pytest.raises(binaries.ToolsError, match="amtool: not found"):
        binaries.find()


def test_the_error_says_what_is_missing_and_where_it_looked(tmp_path: Path) -> None:
    put(tmp_path / "path", "prometheus", "promtool")
    with pytest.raises(binaries.ToolsError) as error:
        binaries.find()
    text = str(error.value)
    assert text.startswith(
        "alertmanager, amtool: not found in INFEROMETER_TOOLS (not set), on PATH"
    )
    assert str(tmp_path / "cache") in text


def test_a_variable_that_names_no_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_TOOLS", "/no/such/folder")
    for call in (binaries.find, binaries.find_or_fetch):
        with pytest.raises(binaries.ToolsError, match="got '/no/such/folder', want a folder"):
            call()


def test_without_apt_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(binaries.ToolsError) as error:
        binaries.find_or_fetch()
    text = str(error.value)
    assert "prometheus, promtool, alertmanager, amtool: not found" in text
    assert "apt-get is not here" in text
    assert "INFEROMETER_TOOLS" in text


def test_an_installed_package_keeps_programs_in_the_users_cache(tmp_path: Path) -> None:
    """A copy of the file outside of the sources, as a wheel has it."""
    copy = tmp_path / "site-packages/inferometer/monitoring/stack/binaries.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(copy)],
        env={"PATH": "", "XDG_CACHE_HOME": str(tmp_path / "xdg")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert str(tmp_path / "xdg/inferometer/tools") in done.stderr


def fetch(folder: Path, apt_config: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the script as scripts/fetch_prometheus.sh does."""
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
    if apt_config is not None:
        environment["APT_CONFIG"] = str(apt_config)
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--fetch", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_packages_are_unpacked_where_the_systems_lists_are_empty(tmp_path: Path) -> None:
    config = tmp_path / "apt.conf"
    config.write_text(f'Dir::State::lists "{tmp_path}/none";\n', encoding="utf-8")
    folder = tmp_path / "tools"
    first = fetch(folder, config)
    if first.returncode != 0:
        pytest.skip(f"Debian's packages could not be had: {first.stderr[-300:]}")
    programs = Path(first.stdout.strip())
    assert programs == binaries.programs_in(folder)
    assert "getting fresh ones" in first.stderr
    version = subprocess.run(
        [programs / "prometheus-alertmanager", "--version"], capture_output=True, text=True
    )
    assert "alertmanager, version" in version.stdout + version.stderr
    # Nothing half done stays behind, and a second call has nothing to do.
    assert not list(folder.glob("unpack-*"))
    second = fetch(folder)
    assert (second.returncode, second.stdout, second.stderr) == (0, first.stdout, "")


@pytest.mark.slow
def test_a_download_that_fails_says_both_reasons(tmp_path: Path) -> None:
    config = tmp_path / "apt.conf"
    config.write_text(
        f'Dir::State::lists "{tmp_path}/none";\n'
        'Acquire::http::Proxy "http://127.0.0.1:9";\nAcquire::https::Proxy "http://127.0.0.1:9";\n',
        encoding="utf-8",
    )
    done = fetch(tmp_path / "tools", config)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "could not download prometheus and prometheus-alertmanager" in done.stderr
    assert "With fresh lists:" in done.stderr
    assert "name their folder in INFEROMETER_TOOLS" in done.stderr
    assert not (tmp_path / "tools/prometheus").exists()
