"""A stack's folder: what is not its own is neither overwritten nor deleted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inferometer.monitoring.drill.ground import own_ground
from inferometer.monitoring.drill.repository import drill_repository
from inferometer.monitoring.stack import docker_stack, setup_command
from inferometer.monitoring.stack.binaries import Tools
from inferometer.monitoring.stack.configuration import StackSettings
from inferometer.monitoring.stack.local_stack import LocalStack
from inferometer.monitoring.stack.ports import free_ports
from inferometer.monitoring.stack.processes import Identity, ManagedProcess, ProcessError
from inferometer.monitoring.stack.service import Service, ServiceAddress
from inferometer.monitoring.stack.setup_stack import SetupStack
from inferometer.monitoring.stack.setup_state import SetupState
from inferometer.monitoring.stack.stack_folder import MANIFEST, FolderError, StackFolder
from monitoring_tools import files_below

# What somebody may keep: some are named as files of a stack are.
MINE = {
    "prometheus.yml": "mine",
    "alertmanager.yml": "mine too",
    "other.yml": "x",
    "service.log": "a log",
    "service.pid": "12",
    "setup.lock": "mine",
    "notes.jsonl": "{}",
    "compose-file": "docker-compose.yaml",
    "prometheus-data/wal/0": "years of samples",
}
PORTS = ("http", "metrics", "prometheus", "alertmanager", "webhook")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    for name, text in MINE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def setup(folder: Path, *options: str) -> int:
    """The script, without what it does before."""
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    named = [f"--{name}-port={port}" for name, port in ports.items()]
    return setup_command.main([f"--folder={folder}", "--without-docker", *named, *options])


def state(repository: Path) -> SetupState:
    ports = {f"{name}_port": port for name, port in zip(PORTS, free_ports(5), strict=True)}
    return SetupState(
        repository=str(repository), retention="1d", scrape_interval="5s", with_load=True, **ports
    )


@pytest.mark.parametrize("setup_json", [None, "{}", "valid"])
def test_reset_refuses_a_folder_that_is_no_stacks(
    mine: Path, capsys: pytest.CaptureFixture[str], setup_json: str | None
) -> None:
    if setup_json == "valid":
        state(mine).save(mine)
    elif setup_json is not None:
        (mine / "setup.json").write_text(setup_json, encoding="utf-8")
    before = files_below(mine)
    assert setup(mine, "--reset") == 1
    assert f"got {mine}, which is no stack's folder: it has no {MANIFEST}" in (
        capsys.readouterr().err
    )
    assert files_below(mine) == before


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{}",
        '{"kind": "inferometer stack"}',
        '{"kind": "another", "names": ["other.yml"]}',
        '{"kind": "inferometer stack", "names": ["../mine/other.yml"]}',
        '{"kind": "inferometer stack", "names": [".."]}',
        '{"kind": "inferometer stack", "names": [1]}',
    ],
)
def test_a_list_that_no_stack_has_written_is_none(mine: Path, manifest: str) -> None:
    (mine / MANIFEST).write_text(manifest, encoding="utf-8")
    before = files_below(mine)
    folder = StackFolder(mine)
    with pytest.raises(FolderError, match="which is no list of a stack's files"):
        folder.delete()
    with pytest.raises(FolderError, match="which is no list of a stack's files"):
        folder.claim(["new"])
    assert files_below(mine) == before


@pytest.mark.parametrize("option", ["--stop", "--status"])
def test_stop_and_status_leave_nothing_in_a_folder(mine: Path, option: str) -> None:
    before = files_below(mine)
    setup(mine, option)
    assert files_below(mine) == before
    setup(mine.parent / "new", option)
    assert not (mine.parent / "new").exists()


def test_a_start_overwrites_nothing(
    mine: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = files_below(mine)
    assert setup(mine, f"--repository={tmp_path}") == 1
    said = capsys.readouterr()
    assert (
        "would overwrite: alertmanager.yml, prometheus-data, prometheus.yml, service.log,"
        " service.pid; move them away, or take another folder"
    ) in said.err
    assert "starting" not in said.out
    assert files_below(mine) == before
    (mine / "setup.lock").unlink()
    assert setup(mine, f"--repository={tmp_path}") == 1
    assert not (mine / "setup.lock").exists()


def test_each_part_refuses_by_itself(mine: Path, tmp_path: Path) -> None:
    before = files_below(mine)
    nowhere = Tools(*[tmp_path / name for name in ("a", "b", "c", "d")])
    address = ServiceAddress(*free_ports(2))
    with pytest.raises(FolderError, match=r"alertmanager\.yml, prometheus-data, prom"):
        LocalStack(mine, StackSettings(), "http://127.0.0.1:1/", tools=nowhere).start()
    with pytest.raises(FolderError, match=r"service\.log, service\.pid"):
        Service(mine, tmp_path, address).start()
    with pytest.raises(FolderError, match="compose-file"):
        docker_stack.start(mine, None, None, print)
    assert not docker_stack.is_ours(mine)
    assert not docker_stack.stop(mine, data_too=True)
    with pytest.raises(FolderError, match=r"service\.log"), own_ground(mine, tmp_path, None):
        pass
    assert files_below(mine) == before


def test_a_drill_writes_no_model_into_somebodys_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inferometer.monitoring.drill.repository.project_root", lambda: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keep/model_repository").mkdir(parents=True)
    with pytest.raises(FolderError, match="would overwrite: model_repository"):
        drill_repository(None, tmp_path / "keep")
    assert files_below(tmp_path) == {}


def test_a_drill_leaves_a_stack_that_runs_in_its_folder_alone(tmp_path: Path) -> None:
    ours = Identity.of(os.getpid())
    assert ours is not None
    service = ManagedProcess("service", tmp_path)
    StackFolder(tmp_path).claim(service.files)
    text = json.dumps({"pid": ours.pid, "started": ours.started, "boot": ours.boot})
    (tmp_path / "service.pid").write_text(text, encoding="utf-8")
    with (
        pytest.raises(ProcessError, match=f"service of another stack runs in .*pid {ours.pid}"),
        own_ground(tmp_path, tmp_path, None),
    ):
        pass
    assert service.identity == ours


def test_reset_deletes_what_the_stack_has_noted_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "stack"
    stack = SetupStack(folder, state(tmp_path), print)
    stack.claim()
    names = StackFolder(folder).names()
    assert {"prometheus.yml", "prometheus-data", "service.log", "setup.json"} <= names
    for name in names:
        (folder / name).write_text("a stack's", encoding="utf-8")
    (folder / "prometheus-data").unlink()
    (folder / "prometheus-data/wal").mkdir(parents=True)
    (folder / "mine.yml").write_text("mine", encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/kept").write_text("kept", encoding="utf-8")
    (folder / "alertmanager-data").unlink()
    (folder / "alertmanager-data").symlink_to(tmp_path / "elsewhere")

    stack.claim()  # again: they are its own now
    assert setup(folder, "--reset") == 0
    assert "are deleted" in capsys.readouterr().out
    assert files_below(folder) == {"mine.yml": "mine"}
    assert files_below(tmp_path / "elsewhere") == {"kept": "kept"}
    assert setup(folder, "--reset") == 1  # no stack's any more
    (folder / "mine.yml").unlink()
    assert setup(folder, "--reset") == 0
    assert "nothing to delete" in capsys.readouterr().out


def test_what_cannot_be_deleted_stays_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = StackFolder(tmp_path)
    folder.claim(["a.log", "b.log"])
    (tmp_path / "a.log").write_text("")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", refuse)
        with pytest.raises(PermissionError):
            folder.delete()
    assert folder.names() == {"a.log", "b.log"}
    folder.delete()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("encoding", "output", "status"), [("ascii", "out", 0), ("utf-8", "/dev/full", 1)]
)
def test_the_script_says_what_it_can(
    tmp_path: Path, encoding: str, output: str, status: int
) -> None:
    module = "inferometer.monitoring.stack.setup_command"
    with open(tmp_path / output, "w") as file:
        done = subprocess.run(
            [sys.executable, "-m", module, "--reset", f"--folder={tmp_path}/caf\xe9"],
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUNBUFFERED": ""},
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == status
    if status == 0:
        assert (tmp_path / output).read_text() == f"nothing to delete in {tmp_path}/caf\\xe9\n"
    else:
        message = "setup_monitoring.sh: standard output: No space left on device\n"
        assert done.stderr == message
