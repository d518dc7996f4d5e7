"""An idle engine must not wake up: context switches of all threads of a process that had work.

python -m engine_parts.idle SETTINGS    watches
python -m engine_parts.idle             is watched: engines, threads and an event loop that served
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from comparison.samples import emit

from engine_parts import groups
from engine_parts.engines import engine
from engine_parts.settings import Settings
from engine_parts.turns import threads
from engine_parts.who import OURS
from workloads import TINY

SETTLE_SECONDS = 0.5


def context_switches(pid: int) -> dict[str, int]:
    """Of each thread, by its id and name: the times that it began to wait or was interrupted."""
    switches = {}
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        text = status.read_text(encoding="ascii", errors="replace")
        (name,) = re.findall(r"^Name:\t(.*)$", text, re.MULTILINE)
        counts = re.findall(r"ctxt_switches:\t(\d+)", text)
        switches[f"{status.parent.name} ({name})"] = sum(map(int, counts))
    return switches


def serve_then_idle() -> None:
    """Serves threads and an event loop with a native and a Python model, then waits for a line."""
    x = TINY.rows(1)
    loop = asyncio.new_event_loop()
    looping = threading.Thread(target=loop.run_forever)
    looping.start()
    with ExitStack() as stack:
        for name, model in (("native", TINY.native()), ("numpy", TINY)):
            made = engine(stack, model, name)
            threads(partial(made.infer, x), 4, 0.05)
            for _ in range(20):
                asyncio.run_coroutine_threadsafe(made.infer_async(x), loop).result()
        print("idle", flush=True)
        sys.stdin.readline()
    loop.call_soon_threadsafe(loop.stop)
    looping.join()
    loop.close()


def watch(settings: Settings) -> None:
    """Counts for as long as the settings say."""
    command = [sys.executable, "-m", "engine_parts.idle"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(SETTLE_SECONDS)
        print(f"{groups.IDLE}: {settings.idle_seconds:g} s", flush=True)
        before = context_switches(process.pid)
        time.sleep(settings.idle_seconds)
        after = context_switches(process.pid)
        process.communicate("\n")
    if process.returncode != 0:
        raise SystemExit(f"the idle process ended with {process.returncode}")
    total = 0
    for thread, count in after.items():
        switched = count - before.get(thread, 0)
        total += switched
        if switched:
            print(f"thread {thread}: {switched} context switches", flush=True)
    emit(groups.IDLE, OURS, [total])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        serve_then_idle()
    else:
        given = Settings.of_argument(sys.argv[1])
        if given.wants(groups.IDLE):
            watch(given)
