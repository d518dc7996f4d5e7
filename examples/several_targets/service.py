"""One of three services that one Prometheus scrapes (see prometheus.yml beside this file).

    python examples/several_targets/service.py 127.0.0.1 &
    python examples/several_targets/service.py 127.0.0.2 &
    python examples/several_targets/service.py 127.0.0.3 &
    prometheus --config.file=examples/several_targets/prometheus.yml

Each stands for a machine of its own: Linux answers on all of 127.0.0.0/8, so three can have port
8002. Another port may follow the address.
"""

import sys
import threading

import numpy as np

import inferometer as im

host = sys.argv[1]
port = int(sys.argv[2]) if len(sys.argv) > 2 else 8002

engine = im.Engine(im.DelayModel(0.001, inputs=[im.Spec("x", "float32", (-1, 4))]), name="double")
with engine, im.serve_metrics(port, host) as listener:
    print(f"metrics on {listener.url}", flush=True)
    row = np.ones((1, 4), np.float32)
    pause = threading.Event()
    while not pause.wait(0.05):  # a request every 50 ms, until SIGTERM or Ctrl-C
        engine.infer(row)
