"""The native metrics listener: the GIL, idleness, interpreter exit, fork, logging."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from test_monitors import FAKE
from test_process import run

PRELUDE = """
import os, sys, threading, time, urllib.request
import inferometer as im
def get(url):
    with urllib.request.urlopen(url, timeout=30) as reply:
        return reply.status
"""


def test_it_answers_while_python_holds_the_gil() -> None:
    # The child reads a pipe through ctypes.PyDLL, which does not release the GIL: it holds it until
    # this process, having scraped, writes the next byte. Its second thread would like to tick all
    # the time, and shows that Python stood still.
    program = """
import ctypes, os, threading, time
import inferometer as im
listener = im.serve_metrics(0)
longest = 0.0
def tick():
    global longest
    last = time.perf_counter()
    while True:
        now = time.perf_counter()
        longest = max(longest, now - last)
        last = now
        time.sleep(0)
threading.Thread(target=tick, daemon=True).start()
libc = ctypes.PyDLL(None)
byte = ctypes.create_string_buffer(1)
os.write(1, f"{listener.port}\\n".encode())
libc.read(0, byte, 1)
longest = 0.0
while libc.read(0, byte, 1) == 1:
    pass
print(longest)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        url = f"http://127.0.0.1:{int(child.stdout.readline())}/metrics"
        taken = []
        for _ in range(3):
            child.stdin.write(b"x")
            child.stdin.flush()
            start = time.perf_counter()
            for _ in range(20):
                with urllib.request.urlopen(url, timeout=30) as reply:
                    assert b"inferometer_build_info" in reply.read()
            taken.append(time.perf_counter() - start)
        out, _ = child.communicate()
    # Nothing ticked while a read waited: for all of its twenty scrapes, but for the moment that it
    # took the child to come to it.
    assert child.returncode == 0
    assert float(out) > min(taken) / 2


def test_a_process_that_nobody_scrapes_makes_no_context_switches(tmp_path: Path) -> None:
    """It was scraped, so that its monitors (NVML's too) and Python-backed collectors have run."""
    (tmp_path / "gpus").write_text("[gpu]\nutilization = 5\n", encoding="utf-8")
    environment = {"INFEROMETER_NVML_LIBRARY": str(FAKE), "FAKE_NVML_SCRIPT": f"{tmp_path}/gpus"}
    out = run(
        f"import os\nos.environ |= {environment if FAKE.exists() else {}}\n"
        + PRELUDE
        + """
import inferometer.prometheus
from inferometer.listener import MetricsListener
listener = im.serve_metrics(0)
untouched = im.serve_metrics(0)
for _ in range(3):
    assert get(listener.url) == 200
if "INFEROMETER_NVML_LIBRARY" in os.environ:
    assert b"\\ngpu_utilization_ratio" in im.render_metrics()[0]
def switches():
    total = {}
    for task in os.listdir("/proc/self/task"):
        if int(task) == os.getpid():
            continue
        with open(f"/proc/self/task/{task}/status") as status:
            total[task] = sum(int(l.split()[1]) for l in status if "ctxt_switches" in l)
    return total
seen = switches()
while True:  # the last connection's end may still be under way
    time.sleep(0.2)
    again = switches()
    if again == seen:
        break
    seen = again
assert len(seen) >= 6, seen
time.sleep(3)
assert switches() == seen, (seen, switches())
print("idle")
""",
        timeout=120,
    )
    assert out == "idle"


def test_the_interpreter_exits_with_a_live_listener_and_a_connection() -> None:
    run(
        PRELUDE
        + """
import socket
listener = im.serve_metrics(0)
connection = socket.create_connection(("127.0.0.1", listener.port))
connection.sendall(b"GET /metr")
im.serve_metrics(0)
threading.Thread(target=lambda: [get(listener.url) for _ in range(20)]).start()
connection.detach()
"""
    )


def test_a_forked_child_does_not_answer_and_does_not_keep_the_port() -> None:
    out = run(
        PRELUDE
        + """
import socket, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of fork with threads
listener = im.serve_metrics(0)
connection = socket.create_connection(("127.0.0.1", listener.port))
connection.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
assert connection.recv(12) == b"HTTP/1.1 200"
go_on, end = os.pipe()
seen, looked = os.pipe()
pid = os.fork()
if pid != 0:
    os.close(looked)                      # a child that dies is noticed by read()
else:
    os.close(end)
    os.close(seen)
    connection.close()
    code = 1
    try:
        assert listener.closed
        listener.close()
        assert get(listener.url) == 200   # the parent answers
        with im.serve_metrics(0) as own:  # it may have one of its own
            assert get(own.url) == 200
        os.write(looked, b"x")
        os.read(go_on, 1)                 # alive until the parent has looked too
        code = 0
    finally:
        if code:
            os._exit(code)
    sys.exit(0)  # through the exit handlers
assert os.read(seen, 1) == b"x"
assert get(listener.url) == 200
listener.close()
while connection.recv(65536):  # the child does not hold the connection open
    pass
connection.close()
with im.serve_metrics(listener.port) as again:  # nor the port
    assert get(again.url) == 200
os.close(end)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print("parent goes on")
"""
    )
    assert out == "parent goes on"


def test_errors_are_logged_from_python() -> None:
    # Out of descriptors: the listener cannot accept, says so, and serves once it can.
    out = run(
        PRELUDE
        + """
import json, logging, resource, socket
records = []
logged = threading.Event()
class Keep(logging.Handler):
    def emit(self, record):
        records.append(record.getMessage())
        logged.set()
logging.getLogger("inferometer").addHandler(Keep())
listener = im.serve_metrics(0)
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
last = os.dup(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1, hard))
os.close(last)
connection = socket.create_connection(("127.0.0.1", listener.port))
assert logged.wait(30)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
connection.sendall(b"GET /metrics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
assert connection.recv(12) == b"HTTP/1.1 200"
connection.close()
print(json.dumps(records))
"""
    )
    (message,) = json.loads(out)
    assert "could not be accepted" in message
    assert "Too many open files" in message
