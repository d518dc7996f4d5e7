"""Processes that outlive the one that starts them: a log, a pid file, and an end.

A pid is only a number: after its process has ended, another one may get it. A pid file therefore
also says when its process started, and nothing is ever sent to a process that started at another
time.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

STOP_SECONDS = 15.0
_POLL_SECONDS = 0.02
# How long a child that has ended may take to be reaped: its threads end one by one.
_REAP_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1
# A line of a log that says why a program gave up; what follows may be the text of its --help.
_REASON = re.compile(
    r'\blevel="?(?:error|ERROR)\b|"level":"(?:error|ERROR)"|: error: '
    r"|^(?:[\w.]*Error|ERROR|panic|fatal error)\b"
)
# Loaded here: a child between fork and exec had better not load libraries.
_LIBC = ctypes.CDLL(None)


class ProcessError(RuntimeError):
    """A process that ended when it should run, or does not end; the text says where its log is."""


@dataclass(frozen=True)
class Identity:
    """One process, told apart from any other that has or will have its pid.

    Attributes:
        pid: Its number.
        started: When it started, in clock ticks since the machine did.
        boot: Which start of the machine that was.
    """

    pid: int
    started: int
    boot: str

    @classmethod
    def of(cls, pid: int) -> Identity | None:
        """The process that has this pid now; None if there is none, or a zombie."""
        stat = _stat(pid)
        return None if stat is None else cls(pid, stat, _boot())

    def is_running(self) -> bool:
        """Whether exactly this process is still there."""
        return Identity.of(self.pid) == self


def _end_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def _stat(pid: int) -> int | None:
    """When a process started; None without one that runs."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    # "pid (name) state ...": the name may hold anything, the last parenthesis ends it.
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


class ManagedProcess:
    """A program with a log and a pid file in a folder. Single-owner.

    A second object of the same name and folder, in another process too, speaks of the same program.

    Args:
        name: What messages call it; its files are ``NAME.pid`` and ``NAME.log``.
        folder: Where they are.

    Attributes:
        files: Their names.
        log: The path of the log.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.files = (f"{name}.log", f"{name}.pid")
        self.log = folder / self.files[0]
        self._pid_file = folder / self.files[1]
        self._child: subprocess.Popen[bytes] | None = None
        self._log_begin = 0  # of what the program that this object has started says

    @property
    def identity(self) -> Identity | None:
        """The running process, None without one."""
        known = self._known()
        return known if known is not None and known.is_running() else None

    def _known(self) -> Identity | None:
        """What the pid file speaks of; None for none, and for one that nobody here has written."""
        try:
            return Identity(**json.loads(self._pid_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def start(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        ends_with_us: bool = False,
    ) -> None:
        """Starts the program in a session of its own: a terminal's Ctrl-C does not reach it.

        Args:
            command: The program and its arguments.
            environment: Added to this process' environment.
            folder: Where it runs; None: here.
            ends_with_us: It is told to end when the calling thread does, however that happens.

        Raises:
            ProcessError: It runs already, or cannot be started.
        """
        running = self.identity
        if running is not None:
            raise ProcessError(f"{self.name} runs already, pid {running.pid}")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._log_begin = output.tell()
            try:
                self._child = subprocess.Popen(
                    [str(part) for part in command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **(environment or {})},
                    cwd=folder,
                    start_new_session=True,
                    preexec_fn=_end_with_parent if ends_with_us else None,
                )
            except OSError as error:
                raise ProcessError(f"{self.name}: {command[0]}: {error.strerror}") from None
        identity = Identity.of(self._child.pid)
        if identity is not None:  # else it has ended already, which `check` says
            self._pid_file.write_text(json.dumps(asdict(identity)) + "\n", encoding="utf-8")

    def check(self) -> None:
        """Raises if the program has ended.

        Raises:
            ProcessError: With the lines of its log that say why, or else its end.
        """
        if self.identity is None:
            text = "\n".join(self._reasons()) or self.last_lines()
            raise ProcessError(f"{self.name} has ended{self._status()}; {self.log}:\n{text}")

    def last_lines(self, number: int = 8) -> str:
        """The end of its log."""
        try:
            return "\n".join(self._lines()[-number:])
        except OSError:
            return "(no log)"

    def _lines(self) -> list[str]:
        with self.log.open("rb") as log:
            log.seek(self._log_begin)
            return log.read().decode(errors="replace").splitlines()

    def _reasons(self, number: int = 4) -> list[str]:
        """The last lines of its log that speak of errors."""
        try:
            return [line for line in self._lines() if _REASON.search(line)][-number:]
        except OSError:
            return []

    def _status(self) -> str:
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return f" with exit status {self._child.wait(_REAP_SECONDS)}"
        return ""

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """Ends the program: SIGTERM, and SIGKILL if it takes too long.

        Args:
            seconds: How long it may take to end by itself.

        Returns:
            Whether it was running.

        Raises:
            ProcessError: It belongs to another user, or survives SIGKILL.
        """
        identity = self.identity
        if identity is not None:
            self._send(identity, signal.SIGTERM)
            if not self._gone(identity, seconds):
                self._send(identity, signal.SIGKILL)
                if not self._gone(identity, STOP_SECONDS):
                    raise ProcessError(f"{self.name}, pid {identity.pid}, does not end")
        if self._child is not None:
            self._child.wait()
            self._child = None
        if self._known() is not None:
            self._pid_file.unlink(missing_ok=True)
        return identity is not None

    def _send(self, identity: Identity, number: signal.Signals) -> None:
        try:
            if identity.is_running():
                os.kill(identity.pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            raise ProcessError(
                f"{self.name}, pid {identity.pid}, belongs to another user: stop it as that user"
            ) from None

    def _gone(self, identity: Identity, seconds: float) -> bool:
        give_up = time.monotonic() + seconds
        while identity.is_running():
            if time.monotonic() >= give_up:
                return False
            time.sleep(_POLL_SECONDS)
        return True
