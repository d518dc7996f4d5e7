"""Python-backed collectors: the GIL, threads, idleness, interpreter exit, fork."""

from __future__ import annotations

import subprocess
import sys
import urllib.request

import pytest

from polling import wait_until
from test_process import run

PRELUDE = """
import os, sys, threading, time
import inferometer as im
im.Registry  # loaded now, with the threads of numpy's libraries
def tasks():
    return len(os.listdir("/proc/self/task"))
def text():
    return im.render_metrics()[0].decode()
def fresh():
    while "\\ninferometer_python_collectors_stale 0\\n" not in (body := text()):
        pass
    return body
def register(collect):
    from inferometer.prometheus import REGISTRY
    class Custom:
        def describe(self):
            return []
    Custom.collect = lambda self: collect()
    custom = Custom()
    REGISTRY.register(custom)
    return custom
def gauge(value):
    from inferometer.prometheus.core import GaugeMetricFamily
    return [GaugeMetricFamily("custom", "", value=value)]
"""


def test_no_thread_without_such_collectors_or_before_a_scrape() -> None:
    run(
        PRELUDE
        + """
before = tasks()
text()
assert tasks() == before and "collectors_stale" not in text()
import inferometer.prometheus as prometheus
assert tasks() == before
assert prometheus.generate_latest() and tasks() == before  # asked by itself, not by the thread
fresh()
fresh()
assert tasks() == before + 1
prometheus.REGISTRY.unregister(prometheus.GC_COLLECTOR)
prometheus.REGISTRY.unregister(prometheus.PLATFORM_COLLECTOR)
while tasks() > before:  # joined, but perhaps still listed
    pass
plain = prometheus.Gauge("plain", "")
assert "collectors_stale" not in text() and tasks() == before
plain.set_function(lambda: 1)
assert "\\nplain 1.0\\n" in fresh() and tasks() == before + 1
"""
    )


def test_an_idle_collecting_thread_makes_no_context_switches() -> None:
    out = run(
        PRELUDE
        + """
register(lambda: gauge(1))
for _ in range(3):
    fresh()
def switches():
    total = {}
    for task in os.listdir("/proc/self/task"):
        if int(task) == os.getpid():
            continue
        with open(f"/proc/self/task/{task}/status") as status:
            total[task] = sum(int(l.split()[1]) for l in status if "ctxt_switches" in l)
    return total
seen = switches()
while True:  # the end of the last collection may still be under way
    time.sleep(1)
    seen, before = switches(), seen
    if seen == before:
        break
assert len(seen) >= 1
print("idle")
"""
    )
    assert out == "idle"


def test_the_listener_answers_with_last_values_while_python_holds_the_gil() -> None:
    # The child holds the GIL while it reads the pipe (see test_listener_process.py); it begins to
    # when it is told to, and ends when the pipe has another byte.
    program = (
        PRELUDE
        + """
import ctypes
value = 1
register(lambda: gauge(value))
fresh()
listener = im.serve_metrics(0)
libc = ctypes.PyDLL(None)
byte = ctypes.create_string_buffer(1)
os.write(1, f"{listener.port}\\n".encode())
value = 2
libc.read(0, byte, 1)
os.write(1, b"released\\n")
sys.stdin.buffer.read()
"""
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        url = f"http://127.0.0.1:{int(child.stdout.readline())}/metrics"

        def scrape() -> str:
            with urllib.request.urlopen(url, timeout=30) as reply:
                text: str = reply.read().decode()
                return text

        # From the moment it holds the GIL every scrape is stale; a busy machine may make one so
        # before.
        held = wait_until(
            lambda: [scrape() for _ in range(3)],
            lambda bodies: all("\ninferometer_python_collectors_stale 1\n" in b for b in bodies),
            "stale scrapes only",
            seconds=60,
        )
        for body in held:
            assert "\ncustom 1.0\n" in body or "\ncustom 2.0\n" in body
            assert "\ninferometer_build_info{" in body
        child.stdin.write(b"x")
        child.stdin.flush()
        assert child.stdout.readline() == b"released\n"
        wait_until(
            scrape,
            lambda body: "stale 0" in body and "\ncustom 2.0\n" in body,
            "a fresh scrape",
            seconds=60,
        )
        child.communicate()
    assert child.returncode == 0


@pytest.mark.parametrize(
    "hang",
    [
        "threading.Event().wait()",
        "time.sleep(3600)",
        "all(True for _ in iter(int, 1))",  # for ever, in Python code
        "subprocess.run(['sleep', '0.1'])",  # comes back while the interpreter ends, or later
    ],
)
def test_the_interpreter_exits_while_a_collector_hangs(hang: str) -> None:
    out = run(
        PRELUDE
        + f"""
import subprocess
entered = threading.Event()
def hanging():
    entered.set()
    while True:
        {hang}
register(hanging)
listener = im.serve_metrics(0)
text()
entered.wait(60)
print("exiting")
"""
    )
    assert out == "exiting"


def test_the_interpreter_exits_while_scrapes_go_on() -> None:
    for _ in range(5):
        out = run(
            PRELUDE
            + """
register(lambda: gauge(1))
listener = im.serve_metrics(0)
def scrape():
    while True:
        im.render_metrics()
for _ in range(3):
    threading.Thread(target=scrape, daemon=True).start()
fresh()
print("exiting")
"""
        )
        assert out == "exiting"


def test_nothing_python_backed_is_shown_once_the_interpreter_exits() -> None:
    out = run(
        """
import atexit
import inferometer as im
@atexit.register  # runs after what is registered later
def last():
    body = im.render_metrics()[0]
    print(b"python_info" in body, b"inferometer_build_info" in body)
import inferometer.prometheus
"""
    )
    assert out == "False True"


def test_a_forked_child_collects_by_itself_and_the_parent_goes_on() -> None:
    run(
        PRELUDE
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of fork with threads
gate = threading.Event()
gate.set()
pids = []
def collect():
    gate.wait(60)
    return gauge(os.getpid())
register(collect)
fresh()
for hanging in (False, True):
    if hanging:
        gate.clear()
        assert "stale 1" in text()  # a call hangs from now on
    pid = os.fork()
    if pid == 0:
        gate = threading.Event()
        gate.set()
        assert f"\\ncustom {float(os.getpid())}\\n" in fresh()
        from inferometer.prometheus import Info
        Info("child", "").info({"a": "b"})
        assert "child_info" in fresh()
        sys.exit(0)  # through interpreter finalisation and the exit handlers
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
gate.set()
assert f"\\ncustom {float(os.getpid())}\\n" in fresh()
"""
    )


def test_a_child_may_be_forked_while_scrapes_go_on() -> None:
    run(
        PRELUDE
        + """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
register(lambda: gauge(1))
stop = False
def scrape():
    while not stop:
        im.render_metrics()
threads = [threading.Thread(target=scrape) for _ in range(3)]
for thread in threads:
    thread.start()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        assert "\\ncustom 1.0\\n" in fresh()
        from inferometer.prometheus import Info
        Info("child", "")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
stop = True
for thread in threads:
    thread.join()
"""
    )


def test_a_child_finds_the_locks_free() -> None:
    run(
        PRELUDE
        + """
import signal, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from inferometer.prometheus import REGISTRY, Info
info = Info("forked", "")
held = threading.Event()
def hold():
    with REGISTRY._lock, REGISTRY._python_backed._lock:
        held.set()
        threading.Event().wait()
threading.Thread(target=hold, daemon=True).start()
held.wait(60)
pid = os.fork()
if pid == 0:
    signal.alarm(20)  # ends a child that hangs
    REGISTRY.unregister(info)
    Info("forked", "").info({"a": "b"})
    assert "forked_info" in fresh()
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
os._exit(0)  # its own exit handlers would wait
"""
    )
