"""The command line: help, errors in one line, exit statuses, packages that are missing."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import inferometer as im
from conftest import ROOT
from inferometer import cli
from inferometer.command_error import CommandError

REPOSITORY = str(ROOT / "model_repository")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inferometer", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_lists_what_is_there() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve a model repository over HTTP" in done.stdout
    done = run("serve", "--help")
    assert done.returncode == 0
    for option in ("--http-port", "--metrics-port", "--host", "--drain-timeout", "--delay-model"):
        assert option in done.stdout
    assert run("--version").stdout == f"inferometer {im.__version__}\n"


def test_help_costs_none_of_the_extras() -> None:
    code = (
        "import sys; from inferometer import cli; cli.main(['serve', '--help']); "
        "print([name for name in ('onnx', 'starlette', 'uvicorn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_ctrl_c_while_a_native_module_is_loaded_is_quiet() -> None:
    # Whoever initialises such a module makes an ImportError of it.
    code = """
import sys
from importlib.abc import MetaPathFinder

class Interrupted(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "numpy":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
from inferometer import cli
sys.exit(cli.main(["--version"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("module", [command.module for command in cli.COMMANDS])
def test_a_command_is_listed_if_it_is_there(module: str) -> None:
    (command,) = (command for command in cli.COMMANDS if command.module == module)
    path = ROOT / "python" / (module.replace(".", "/") + ".py")
    done = run(*command.words, "--help")
    assert (done.returncode == 0) == path.exists()
    assert (f"usage: inferometer {' '.join(command.words)}" in done.stdout) == path.exists()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["swerve"], "invalid choice: 'swerve'"),
        (["serve"], "the following arguments are required: REPOSITORY"),
        (["serve", REPOSITORY, "--http-port", "x"], "got 'x', want a port from 0 to 65535"),
        (["serve", REPOSITORY, "--http-port", "65536"], "got '65536', want a port from 0 to 65535"),
        (["serve", REPOSITORY, "--drain-timeout", "nan"], "got 'nan', want seconds from 0 to 3600"),
        (["serve", REPOSITORY, "--drain-timeout", "-1"], "got '-1', want seconds from 0 to 3600"),
        (
            ["serve", REPOSITORY, "--max-body-mib", "0"],
            "got '0', want a whole number from 1 to 4096",
        ),
        (["serve", REPOSITORY, "--delay-model", "=1"], "got '=1', want NAME or NAME=SECONDS"),
        (["serve", REPOSITORY, "--delay-model", "a/b"], "got 'a/b', want NAME or NAME=SECONDS"),
        (["serve", REPOSITORY, "--delay-model", "a=x"], "got 'x', want seconds from 0 to 3600"),
        (
            ["serve", REPOSITORY, "--delay-model", "a"],
            "inferometer: --delay-model is for tests and drills: it needs --allow-fault-injection",
        ),
        (
            [
                *("serve", REPOSITORY, "--allow-fault-injection"),
                "--delay-model=a",
                "--delay-model=a",
            ],
            "inferometer: --delay-model a: got it twice, want each name once",
        ),
        (
            ["serve", REPOSITORY, "--allow-fault-injection", "--host", "0.0.0.0"],
            "inferometer: --allow-fault-injection works on loopback only: got --host 0.0.0.0, want "
            "127.0.0.1, ::1 or localhost",
        ),
        (
            ["serve", str(ROOT / "docs" / "STATUS.md"), "--http-port=0", "--metrics-port=0"],
            "STATUS.md: got a file, want a folder with NAME/config.pbtxt and NAME/1/model.onnx",
        ),
        (
            ["serve", str(ROOT / "cpp"), "--http-port=0", "--metrics-port=0"],
            "got no config.pbtxt, want NAME/config.pbtxt and NAME/1/model.onnx",
        ),
        (
            [
                *("serve", REPOSITORY, "--http-port=0", "--metrics-port=0"),
                *("--allow-fault-injection", "--delay-model=resnet_model"),
            ],
            "delay model 'resnet_model': got a name that the repository has, want another",
        ),
    ],
)
def test_what_is_asked_for_wrongly_is_one_line_and_2(
    arguments: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert text in " ".join(said.err.split())
    assert said.err.splitlines()[-1].startswith("inferometer")


def test_a_host_that_nobody_has_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", REPOSITORY, "--host", "no.such.host.invalid", "--http-port=0"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("inferometer: --host no.such.host.invalid: ")


@pytest.mark.parametrize("package", ["starlette", "uvicorn", "onnx"])
def test_missing_packages_are_named_with_what_to_install(package: str) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None; from inferometer import cli; "
        f"sys.exit(cli.main(['serve', {REPOSITORY!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        f"inferometer: serving needs {package}: pip install 'inferometer[serve,onnx]'\n"
    )


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (CommandError("no\nway"), 1, "inferometer: no way\n"),
        (CommandError("wrong", 2), 2, "inferometer: wrong\n"),
        (im.ConfigError("got 1, want 2"), 2, "inferometer: got 1, want 2\n"),
        (im.ClosedError("over"), 1, "inferometer: over\n"),
        (
            FileNotFoundError(2, "No such file", "x"),
            1,
            "inferometer: [Errno 2] No such file: 'x'\n",
        ),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_how_a_command_ends(
    error: BaseException,
    status: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(arguments: argparse.Namespace) -> int:
        raise error

    use(monkeypatch, fail)
    assert cli.main(["try"]) == status
    assert capsys.readouterr().err == line


def use(monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    """Makes a function the only command, `try`."""
    module: Any = types.ModuleType("inferometer.tried")
    module.__spec__ = types.SimpleNamespace(name=module.__name__)
    module.add_arguments = lambda parser: parser.add_argument("--number", type=int, default=7)
    module.run = function
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cli, "COMMANDS", (cli.Command(("try",), module.__name__, "tries"),))


def test_a_commands_status_is_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, lambda arguments: arguments.number)
    assert cli.main(["try"]) == 7
    assert cli.main(["try", "--number", "0"]) == 0
    assert cli.main(["try", "--number", "x"]) == 2


def output_of(options: dict[str, str], code: str, output: str) -> subprocess.CompletedProcess[str]:
    """What a command that runs this code says, with its standard output somewhere."""
    body = (
        "import sys, types; from inferometer import cli\n"
        "module = types.ModuleType('tried')\n"
        "module.__spec__ = types.SimpleNamespace(name='tried')\n"
        "module.add_arguments = lambda parser: None; sys.modules['tried'] = module\n"
        f"def run(arguments):\n {code}\n return 0\n"
        "module.run = run; cli.COMMANDS = (cli.Command(('try',), 'tried', 'tries'),)\n"
        "sys.exit(cli.main(['try']))"
    )
    environment = {"PYTHONUNBUFFERED": "", **options}
    with open(output, "w") as file:
        return subprocess.run(
            [sys.executable, "-c", body],
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )


@pytest.mark.parametrize("code", ["print('x')", "print('x', flush=True)", "print('x' * 20_000)"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_is_one_line_and_1(code: str, unbuffered: str) -> None:
    done = output_of({"PYTHONUNBUFFERED": unbuffered}, code, "/dev/full")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("inferometer: ")
    assert line.endswith("No space left on device")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_text_can_be_printed_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    code = r"print('caf\xe9 \udcff \u00b7\u2592\u2588 \u4e2d')"
    done = output_of({"PYTHONIOENCODING": encoding}, code, str(tmp_path / "out"))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out").read_text(encoding=encoding) == {
        "ascii": "caf\\xe9 \\udcff .-# \\u4e2d\n",
        "latin-1": "caf\xe9 \\udcff \u00b7-# \\u4e2d\n",
        "utf-8": "caf\xe9 \\udcff \u00b7\u2592\u2588 \u4e2d\n",
    }[encoding]


def test_a_folder_of_any_name_is_written_and_told(tmp_path: Path) -> None:
    name = b"f\xff \xc3\xa9"
    done = subprocess.run(
        [sys.executable, "-m", "inferometer", "monitoring", "init", name],
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.splitlines()[0] == rb"f\udcff \xe9/docker-compose.yaml"
    assert os.listdir(os.fsencode(tmp_path)) == [name]


def test_a_reader_that_has_gone_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m inferometer rules check --list-checks | head -n 1', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stderr, done.stdout.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    "url",
    ["http://[", "http://a..b/", "http://127.0.0.1:ab/", "http://a b/", "http://\xe9.\u4e2d /"],
)
def test_a_url_of_metrics_that_is_none_is_one_line_and_2(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rules", "check", "--metrics", url, "rules.yml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("inferometer: rules check: --metrics http://")
    assert "cannot be read: " in line


def test_a_defect_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: argparse.Namespace) -> int:
        raise ZeroDivisionError

    use(monkeypatch, fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["try"])


def test_the_modules_of_commands_have_the_agreed_shape() -> None:
    for command in cli.COMMANDS:
        if (ROOT / "python" / Path(command.module.replace(".", "/") + ".py")).exists():
            module = __import__(command.module, fromlist=["run"])
            assert callable(module.add_arguments) and callable(module.run)
