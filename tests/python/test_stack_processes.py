"""Processes with logs and pid files: real ones, and pid files that speak of others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inferometer.monitoring.stack.processes import Identity, ManagedProcess, ProcessError
from inferometer.monitoring.stack.waiting import wait_until

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True); time.sleep(600)",
]


def wait_for_log(process: ManagedProcess, text: str = "up") -> None:
    wait_until(process.last_lines, lambda seen: text in seen, f"{text!r} in the log", 20)


def test_start_and_stop(tmp_path: Path) -> None:
    process = ManagedProcess("sleeper", tmp_path / "made/for/it")
    assert process.identity is None
    process.start(SLEEP)
    identity = process.identity
    assert identity is not None
    process.check()
    assert process.stop() is True
    assert not identity.is_running()
    assert process.identity is None
    assert process.stop() is False


def test_another_object_speaks_of_the_same_process(tmp_path: Path) -> None:
    first, second = ManagedProcess("sleeper", tmp_path), ManagedProcess("sleeper", tmp_path)
    first.start(SLEEP)
    assert second.identity == first.identity
    with pytest.raises(ProcessError, match="sleeper runs already, pid"):
        second.start(SLEEP)
    assert second.stop() is True
    assert first.identity is None
    assert first.stop() is False


def test_a_process_that_got_the_pid_of_another_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(SLEEP, stdout=subprocess.DEVNULL) as stranger:
        try:
            real = Identity.of(stranger.pid)
            assert real is not None
            for pid_file in (
                {"pid": stranger.pid, "started": real.started - 1, "boot": real.boot},
                {"pid": stranger.pid, "started": real.started, "boot": "another start"},
            ):
                (tmp_path / "service.pid").write_text(json.dumps(pid_file), encoding="utf-8")
                process = ManagedProcess("service", tmp_path)
                assert process.identity is None
                assert process.stop() is False
                assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("text", ["", "123", "{}", '{"pid": "x"}', "[1]", "\x00"])
def test_a_pid_file_that_is_none_is_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "service.pid").write_text(text, encoding="utf-8")
    process = ManagedProcess("service", tmp_path)
    assert process.identity is None
    assert process.stop() is False
    # Somebody's who has such a file too.
    assert (tmp_path / "service.pid").read_text(encoding="utf-8") == text


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = ManagedProcess("stubborn", tmp_path)
    process.start(STUBBORN)
    wait_for_log(process)
    assert process.stop(seconds=0.2) is True
    assert process.identity is None


def test_one_that_has_ended_is_reported_with_its_log(tmp_path: Path) -> None:
    process = ManagedProcess("broken", tmp_path)
    process.start([sys.executable, "-c", "raise SystemExit('port 9090 is taken')"])
    wait_until(lambda: process.identity, lambda seen: seen is None, "its end", 20)
    with pytest.raises(ProcessError) as error:
        process.check()
    text = str(error.value)
    assert "broken has ended with exit status 1" in text
    assert "broken.log" in text
    assert "port 9090 is taken" in text


def test_a_zombie_does_not_run(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        wait_until(lambda: Identity.of(child.pid), lambda seen: seen is None, "its end", 20)
        os.kill(child.pid, 0)  # the pid is still taken: nobody has waited for it


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="nothing: /no/such/program: No such file"):
        ManagedProcess("nothing", tmp_path).start(["/no/such/program"])


def test_environment_and_folder_are_handed_on(tmp_path: Path) -> None:
    process = ManagedProcess("teller", tmp_path)
    code = "import os, time; print(os.environ['X'], os.getcwd(), flush=True); time.sleep(600)"
    process.start([sys.executable, "-c", code], {"X": "y"}, folder=Path("/"))
    wait_for_log(process, "y /")
    process.stop()


def test_it_ends_with_its_parent_if_asked_to(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from inferometer.monitoring.stack.processes import ManagedProcess\n"
        f"ManagedProcess('child', Path({str(tmp_path)!r})).start({SLEEP!r}, ends_with_us=True)\n"
        "print('started', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        child = ManagedProcess("child", tmp_path)
        assert child.identity is not None
        parent.send_signal(signal.SIGKILL)
        wait_until(lambda: child.identity, lambda seen: seen is None, "the end of the child", 20)


def test_the_line_that_says_why_is_shown_in_place_of_a_help_text(tmp_path: Path) -> None:
    """As Prometheus ends on an option that it does not take: the reason first, then its help."""
    process = ManagedProcess("prometheus", tmp_path)
    process.log.write_text("level=error msg=of an earlier run\n", encoding="utf-8")
    code = (
        "print('Error parsing commandline arguments: not a valid duration'); "
        "print('usage: prometheus [<flags>]'); print('  --help\\n' * 50); raise SystemExit(2)"
    )
    process.start([sys.executable, "-c", code])
    wait_until(lambda: process.identity, lambda seen: seen is None, "its end", 20)
    with pytest.raises(ProcessError) as error:
        process.check()
    first, *rest = str(error.value).splitlines()
    assert first == f"prometheus has ended with exit status 2; {process.log}:"
    assert rest == ["Error parsing commandline arguments: not a valid duration"]


def test_the_exit_status_is_waited_for(tmp_path: Path) -> None:
    """A program's first thread may have ended while others still do: it cannot be reaped yet."""
    process = ManagedProcess("slow", tmp_path)
    code = (
        "import ctypes, threading, time\n"
        "threading.Thread(target=time.sleep, args=(1.0,), daemon=True).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)"
    )
    process.start([sys.executable, "-c", code])
    wait_until(lambda: process.identity, lambda seen: seen is None, "its end", 20)
    with pytest.raises(ProcessError, match=r"slow has ended with exit status -?\d+; "):
        process.check()
