"""What the command says where standard output is full or knows few characters; wrong hosts."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from inferometer.cli import main
from inferometer.serve.messages import say
from service_process import REPOSITORY


def test_a_full_disk_is_one_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with open("/dev/full", "w") as full, caplog.at_level(logging.WARNING, "inferometer"):
        monkeypatch.setattr(sys, "stdout", full)
        say("one")
        say("two")
        monkeypatch.undo()
    # And nothing is left to be written as it is closed.
    (record,) = caplog.records
    assert "standard output cannot be written (No space left on device)" in record.getMessage()


@pytest.mark.parametrize(("encoding", "want"), [("ascii", b"m\\xe9\n"), ("utf-8", b"m\xc3\xa9\n")])
def test_characters_that_the_output_does_not_have_are_escaped(
    monkeypatch: pytest.MonkeyPatch, encoding: str, want: bytes
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    say("m\xe9")
    assert written.getvalue() == want


def test_names_of_files_that_are_no_text_are_escaped(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    say("m\udcff")
    assert capfdbinary.readouterr().out == b"m\\udcff\n"


@pytest.mark.parametrize("more", [(), ("--allow-fault-injection",)])
@pytest.mark.parametrize("host", ["a..b", "x" * 70, "\udcff"])
def test_what_no_host_can_be_called_is_named(
    host: str, more: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", str(REPOSITORY), "--http-port", "0", "--host", host, *more]) == 2
    error = capsys.readouterr().err
    assert error == f"inferometer: --host: got {host!r}, want a name or an address\n"


def test_an_address_of_another_machine_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(REPOSITORY), "--http-port", "0", "--host", "192.0.2.1"]) == 1
    assert capsys.readouterr().err == (
        "inferometer: --host 192.0.2.1: got an address that this machine does not have, want one "
        "of its own, such as 127.0.0.1, or 0.0.0.0 for all\n"
    )
