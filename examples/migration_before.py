"""A program that measures itself with prometheus_client; migration_after.py changes one import.

python examples/migration_before.py 9100
curl http://127.0.0.1:9100/metrics
"""

import signal
import sys

from prometheus_client import Counter, Histogram, start_http_server

JOBS = Counter("jobs", "Jobs done.", ["kind"])
SECONDS = Histogram("job_seconds", "Time a job took.", buckets=(0.001, 0.01, 0.1))


@SECONDS.time()
def work(kind: str) -> None:
    """Does one job."""
    JOBS.labels(kind).inc()


start_http_server(int(sys.argv[1]), addr="127.0.0.1")
for number in range(100):
    work("even" if number % 2 == 0 else "odd")
print("ready", flush=True)
signal.pause()
