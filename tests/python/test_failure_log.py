"""Failures and refusals are told to the logger "inferometer", not too often."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import logging, sys
import numpy as np
import inferometer as im

form = "%(name)s %(levelname)s %(message)s"
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format=form)
x = np.ones((1, 2), np.float32)

def broken(x):
    raise ValueError("no such digit")

def attempt(action):
    try:
        action()
    except im.Error:
        pass

with im.Engine(broken, name="broken", registry=im.NO_METRICS) as engine:
    for _ in range(5):
        attempt(lambda: engine.infer(x))
full = im.Batching(max_batch_size=8, max_queue_delay=60, max_queue_size=1)
engine = im.Engine(lambda x: x, name="full", batching=full, registry=im.NO_METRICS)
engine.submit(x)
for _ in range(5):
    attempt(lambda: engine.submit(x))
engine.swap(lambda x: 2 * x)
engine.close()
"""


def lines(program: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_failure_a_refusal_and_a_swap_are_one_line_each() -> None:
    failure, refusal, swap = lines(PROGRAM)
    assert failure.startswith("inferometer WARNING a request failed: model of engine 'broken': ")
    assert "no such digit" in failure
    assert "(0 more since the last message)" in failure
    assert refusal.startswith("inferometer WARNING a request was refused: engine 'full': ")
    assert swap == "inferometer INFO engine 'full' serves another model from now on"


def test_a_handler_that_raises_harms_nobody() -> None:
    program = """
import logging
import numpy as np
import inferometer as im

class Broken(logging.Handler):
    def emit(self, record):
        raise OSError("disk full")

logging.getLogger("inferometer").addHandler(Broken())
with im.Engine(lambda x: 1 / 0, name="m", registry=im.NO_METRICS) as engine:
    try:
        engine.infer(np.ones((1, 2), np.float32))
    except im.ModelError as error:
        print(repr(error.__cause__))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "ZeroDivisionError('division by zero')"
    assert "OSError: disk full" in done.stderr
