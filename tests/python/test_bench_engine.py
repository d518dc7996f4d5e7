"""The engine's bench: its peers answer right, its turns count right, all of it runs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import pytest
from comparison.google_benchmark import FOLDER
from engine import rows_of, settings_of
from engine_parts import cpp, engines, groups, idle
from engine_parts.batchers import MAX_BATCH, InlineBatcher, ThreadBatcher, ThreadedBatcher
from engine_parts.rows import ROWS
from engine_parts.settings import FAST, FULL, Settings
from engine_parts.turns import WARM_CALLS, awaits, threads, turn
from numpy.typing import NDArray

import inferometer as im
from conftest import ROOT
from gated_model import PATIENCE_SECONDS
from polling import wait_until

Array = NDArray[Any]
CALLERS = 150


class Doubling:
    """Answers twice what it gets, once it may, and remembers the sizes of its batches."""

    def __init__(self, may: threading.Event | None = None) -> None:
        self.batches: list[int] = []
        self._may = may

    def __call__(self, x: Array) -> Array:
        self.batches.append(len(x))
        if self._may is not None:
            self._may.wait(PATIENCE_SECONDS)
        return x * 2


def check(model: Doubling, answers: list[Array]) -> None:
    assert [answer.tolist() for answer in answers] == [[[2 * i]] for i in range(CALLERS)]
    assert sum(model.batches) == CALLERS and max(model.batches) <= MAX_BATCH


@pytest.mark.parametrize("kind", [InlineBatcher, ThreadBatcher])
def test_asyncio_batchers_answer_everybody(kind: Callable[[Any], Any]) -> None:
    model = Doubling()
    batcher = kind(model)

    async def main() -> list[Array]:
        rows = [np.full((1, 1), i) for i in range(CALLERS)]
        return list(await asyncio.gather(*(batcher.infer(x) for x in rows)))

    check(model, asyncio.run(main()))
    assert max(model.batches) == MAX_BATCH  # they were there at once
    if isinstance(batcher, ThreadBatcher):
        batcher.close()


def test_the_threaded_batcher_answers_everybody() -> None:
    everybody = threading.Event()
    model = Doubling(everybody)
    batcher = ThreadedBatcher(model)
    answers: list[Array] = [np.empty(0)] * CALLERS

    def caller(i: int) -> None:
        answers[i] = batcher.infer(np.full((1, 1), i))

    callers = [threading.Thread(target=caller, args=(i,)) for i in range(CALLERS)]
    for thread in callers:
        thread.start()
    wait_until(
        lambda: batcher._queue.qsize() + sum(model.batches),
        lambda known: known == CALLERS,
        "every caller has asked",
        PATIENCE_SECONDS,
        interval=0.001,
    )
    everybody.set()
    for thread in callers:
        thread.join()
    batcher.close()
    check(model, answers)
    assert max(model.batches) == MAX_BATCH


# Turns.


@pytest.mark.parametrize("callers", [1, 64])
def test_awaits_make_so_many_requests_and_never_more_at_once(callers: int) -> None:
    made = now = most = 0

    async def call() -> None:
        nonlocal made, now, most
        made += 1
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    assert awaits(call, callers, 1000) > 0
    assert made == 1000 + max(callers, WARM_CALLS)
    assert most == callers


def test_a_turn_has_as_many_calls_as_take_its_time() -> None:
    tried: list[int] = []

    def run(calls: int) -> float:
        tried.append(calls)
        return 0.001

    assert turn(run, 1.0, 10)() == 0.001
    assert tried == [10, 20, 40, 80, 160, 320, 1000]
    tried.clear()
    turn(run, 0.004, 10)()
    assert tried == [10, 10]  # never fewer than make sense


def test_threads_are_all_counted() -> None:
    callers = set()

    def call() -> None:
        callers.add(threading.get_ident())

    seen = threads(call, 3, 0.01)
    assert len(callers) == 3
    assert seen.calls_per_second > 0
    assert 0 < seen.p50_seconds <= seen.p99_seconds


def test_switches_of_every_thread_are_counted() -> None:
    def switches(thread: int) -> int:
        counts = idle.context_switches(os.getpid())
        (found,) = [count for name, count in counts.items() if name.startswith(f"{thread} (")]
        return found

    proceed = threading.Event()
    sleeping = threading.Thread(target=proceed.wait)
    sleeping.start()
    assert sleeping.native_id is not None
    switches(sleeping.native_id)  # there is exactly one of it
    before = switches(threading.get_native_id())
    time.sleep(0.001)  # the kernel must switch for that
    assert switches(threading.get_native_id()) > before
    proceed.set()
    sleeping.join()


# Settings and rows.


def test_settings_reach_the_parts_as_they_are() -> None:
    settings = Settings(3, 0.5, 1.5, "Lone|P99")
    assert Settings.of_argument(settings.as_argument()) == settings
    assert settings.wants(groups.LONE_CPP)
    assert not settings.wants(groups.IDLE)
    threads = groups.cpp_threads(16)
    assert settings.wants(*groups.of_threads(threads)) and not settings.wants(threads)
    assert FULL.wants(groups.IDLE) and FULL.rounds >= 9 > FAST.rounds


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "no such row"], "which no row has"),
        (["--only", "("], "no regular expression"),
        (["--rounds", "0"], "got 0, want 1 or more"),
        (["--quick"], "unrecognized arguments"),
    ],
)
def test_wrong_options_are_explained(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        settings_of(arguments)
    assert message in capsys.readouterr().err


def test_options() -> None:
    assert settings_of([]) == FULL
    settings = settings_of(["--fast", "--only", "P99", "--rounds", "4"])
    assert settings == Settings(4, FAST.seconds, FAST.idle_seconds, "P99")
    assert rows_of(settings) and all("P99" in row.what for row in rows_of(settings))


def test_rows_differ() -> None:
    names = [row.what for row in ROWS]
    assert len(set(names)) == len(names)


def test_names_of_google_benchmark_lose_what_it_adds() -> None:
    assert cpp._short("engine_threads/16/iterations:1/manual_time") == "engine_threads/16"
    assert cpp._short("lone_call/recording:1/real_time") == "lone_call/recording:1"


def test_an_option_that_is_not_there_yet_is_told_from_a_wrong_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise im.ConfigError("magic: got 2, want 1: anything else is not there yet")

    with ExitStack() as stack:
        with pytest.raises(im.ConfigError, match="max_queue_delay"):
            engines.engine(stack, Doubling(), "m", max_queue_delay=-1.0)
        monkeypatch.setattr(im, "Engine", refuse)
        with pytest.raises(engines.OptionNotThere, match="magic"):
            engines.engine(stack, Doubling(), "m", magic=2)


@pytest.mark.slow
def test_a_fast_run_fills_every_row() -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}/scripts:{ROOT}/scripts/bench"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/bench/engine.py"), "--fast"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["what"] for line in lines] == [row.what for row in ROWS]
    built = all((ROOT / FOLDER / binary).exists() for binary in (cpp.CALLS, cpp.THREADS))
    for line in lines:
        absent = line["ours"] is None
        if absent and ("C++" not in line["what"] or built):
            assert line["reached"] == "not there yet", line
        if not absent and ";" in line["what"]:
            assert line["better"] is not None, line
    assert f"| {ROWS[0].what}" in done.stdout  # the table
