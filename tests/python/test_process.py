"""What needs a process of its own: fork, Ctrl-C, interpreter exit, idleness, imports."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def run(program: str, timeout: float = 60) -> str:
    """Runs a program; its output, once it has exited with 0 and an empty stderr."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "error", "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    return done.stdout.strip()


PRELUDE = """
import os, signal, sys, threading, time
import numpy as np
import inferometer as im
X = np.ones((1, 2), np.float32)
# A shell's background jobs ignore it, and hand that on.
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


def test_a_forked_child_gets_a_clear_error_and_the_parent_is_unharmed() -> None:
    out = run(
        PRELUDE
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of fork with threads
engine = im.Engine(lambda x: x * 2, name="m")
engine.infer(X)
counter = im.default_registry().counter("c", "C.")
pid = os.fork()
if pid == 0:
    code = 1
    try:
        engine.infer(X)
    except im.ClosedError as error:
        assert "made before fork()" in str(error), error
        assert not engine.ready
        engine.close()
        counter.inc()  # metrics go on, in a copy of their own
        body, _ = im.render_metrics()
        assert b"c_total 1.0" in body, body
        with im.Engine(lambda x: x + 1, name="child") as own:
            assert own.infer(X)[0, 0] == 2
        del engine
        code = 0
    finally:
        os._exit(code)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
assert engine.infer(X)[0, 0] == 2
assert counter.value == 0
print("parent goes on")
"""
    )
    assert out == "parent goes on"


def test_a_child_that_was_forked_exits_normally() -> None:
    run(
        PRELUDE
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
engine = im.Engine(lambda x: x * 2, name="m")
engine.infer(X, timeout=10.0)
pid = os.fork()
if pid == 0:
    sys.exit(0)  # through interpreter finalisation and the exit handlers
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
engine.infer(X)
"""
    )


def test_ctrl_c_in_infer() -> None:
    out = run(
        PRELUDE
        + """
gate = threading.Event()
entered = threading.Event()
def model(x):
    entered.set()
    gate.wait(60)
    return x
engine = im.Engine(model, name="m")
def interrupt():
    entered.wait(60)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    engine.infer(X)
except KeyboardInterrupt:
    cancelled = {"model_name": "m", "status": "cancelled"}
    assert im.default_registry().sample_value("inference_requests_total", cancelled) == 1
    print("interrupted")
handle = engine.submit(X)
try:
    threading.Thread(target=interrupt).start()
    handle.result()
except KeyboardInterrupt:
    print("interrupted")
gate.set()
assert engine.infer(X)[0, 0] == 1
"""
    )
    assert out == "interrupted\ninterrupted"


def test_ctrl_c_in_drain_and_at_the_end_of_a_with_block() -> None:
    out = run(
        PRELUDE
        + """
gate = threading.Event()
def model(x):
    gate.wait(60)
    return x
def interrupt(engine):
    while engine.ready:  # until it drains
        time.sleep(0.001)
    os.kill(os.getpid(), signal.SIGINT)
engine = im.Engine(model, name="m")
engine.submit(X)
threading.Thread(target=interrupt, args=(engine,)).start()
try:
    engine.drain(timeout=60.0)
except KeyboardInterrupt:
    assert not engine.closed
    print("interrupted")
gate.set()
assert engine.drain(timeout=60.0)
gate.clear()
def release(engine):
    while not engine.closed:
        time.sleep(0.001)
    gate.set()
try:
    with im.Engine(model, name="n") as other:
        handle = other.submit(X)
        for act in (interrupt, release):
            threading.Thread(target=act, args=(other,)).start()
except KeyboardInterrupt:
    assert other.closed and type(handle.exception()) is im.ClosedError
    print("interrupted")
"""
    )
    assert out == "interrupted\ninterrupted"


def test_a_signal_handler_that_returns_does_not_end_the_wait() -> None:
    run(
        PRELUDE
        + """
gate = threading.Event()
entered = threading.Event()
def model(x):
    entered.set()
    gate.wait(60)
    return x
handled = []
signal.signal(signal.SIGUSR1, lambda *_: (handled.append(1), gate.set()))
engine = im.Engine(model, name="m")
def interrupt():
    entered.wait(60)
    os.kill(os.getpid(), signal.SIGUSR1)
threading.Thread(target=interrupt).start()
assert engine.infer(X)[0, 0] == 1 and handled == [1]
"""
    )


def test_the_interpreter_exits_with_a_live_engine() -> None:
    out = run(
        PRELUDE
        + """
engine = im.Engine(lambda x: x, name="m")
engine.infer(X, timeout=30.0)
@im.batched
def f(items):
    return items
f(1)
handle = engine.submit(X)
print("exiting")
"""
    )
    assert out == "exiting"


def test_the_interpreter_exits_while_callers_are_blocked_and_a_model_hangs() -> None:
    out = run(
        PRELUDE
        + """
import asyncio, logging
logging.getLogger("inferometer").setLevel(logging.CRITICAL)
entered = threading.Event()
def model(x):
    entered.set()
    time.sleep(3600)
engine = im.Engine(model, name="m")
def call():
    try:
        engine.infer(X)
    except im.ClosedError:
        pass
for _ in range(4):
    threading.Thread(target=call, daemon=True).start()
entered.wait(60)
print("exiting", flush=True)
"""
    )
    assert out == "exiting"


def test_an_idle_engine_makes_no_context_switches() -> None:
    # Also after traffic, with loops attached, with deadlines once used, after a scrape, and after a
    # history that was stopped. The main thread sleeps in one system call; every other thread of the
    # process must not run at all.
    out = run(
        PRELUDE
        + """
import asyncio
batching = im.Batching(max_queue_delay=0.001)
engine = im.Engine(lambda x: x, name="m", batching=batching)
untouched = im.Engine(lambda x: x, name="untouched")
loop = asyncio.new_event_loop()
async def calls():
    await asyncio.gather(*(engine.infer_async(X) for _ in range(100)))
loop.run_until_complete(calls())
threading.Thread(target=loop.run_forever, daemon=True).start()
for _ in range(20):
    engine.infer(X, timeout=0.2)
im.render_metrics()
im.default_registry().start_history(seconds=1, interval=0.01)
im.default_registry().stop_history()
time.sleep(0.5)  # the last deadline passes
def switches():
    total = {}
    for task in os.listdir("/proc/self/task"):
        if int(task) == os.getpid():
            continue
        with open(f"/proc/self/task/{task}/status") as status:
            total[task] = sum(int(l.split()[1]) for l in status if "ctxt_switches" in l)
    return total
before = switches()
time.sleep(5)
after = switches()
assert len(before) >= 4, before  # two workers, a deadline watch, a loop
assert before == after, (before, after)
print("idle")
""",
        timeout=120,
    )
    assert out == "idle"


def test_the_package_imports_numpy_and_nothing_else() -> None:
    out = run(
        """
import sys
import inferometer as im
engine = im.Engine(lambda x: x, name="m")
im.render_metrics()
engine.close()
heavy = {"onnx", "onnxruntime", "prometheus_client", "starlette", "torch", "sklearn", "anyio"}
print(sorted(heavy & set(sys.modules)))
"""
    )
    assert out == "[]"


def test_extras_that_are_missing_are_named() -> None:
    out = run(
        """
import sys
sys.modules["starlette"] = None
import inferometer as im
try:
    im.asgi
except ImportError as error:
    print(error)
try:
    im.nothing
except AttributeError as error:
    print(error)
"""
    )
    assert "pip install 'inferometer[serve]'" in out
    assert "module 'inferometer' has no attribute 'nothing'" in out
