"""Load for ``resnet_model``: handwritten digits at a constant rate of arrivals.

    inferometer serve model_repository/ &
    locust -f tests/locustfile_resnet.py --headless --users 20 --spawn-rate 5 --run-time 120s

Every user sends ``--user-rate`` requests a second (1), whether the service is fast or slow, as long
as answers take less than the time between two. For slower answers take more users at a lower rate:
users that wait for a slow service send less, and hide from its P95 how slow it is.

At the end it reads /metrics and prints one line of summary. With ``--want-requests``,
``--min-mean-batch``, ``--min-efficiency`` or ``--min-accuracy`` (or ``LOCUST_WANT_REQUESTS``, ...)
it says which goal was missed, and locust exits with 1. docs/load_testing.md says more.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from locust import FastHttpUser, events, task
from locust.runners import WorkerRunner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "examples"))

from demo_metrics import Samples, parse_metrics
from digits_data import held_out

if TYPE_CHECKING:
    from argparse import Namespace

    from locust.argument_parser import LocustArgumentParser
    from locust.env import Environment

REQUESTS_TOLERANCE = 0.05

IMAGES, _LABELS = held_out()
LABELS: list[int] = _LABELS.tolist()
BODIES = [
    json.dumps(
        {
            "inputs": [
                {
                    "name": "image",
                    "shape": [1, 1, 8, 8],
                    "datatype": "FP32",
                    "data": image.ravel().tolist(),
                }
            ]
        }
    )
    for image in IMAGES
]


# Importing scikit-learn has kept gevent's loop from looking at its clock; timers that are started
# now, that of --run-time first of all, would count the import's seconds as run.
time.sleep(0.001)


@dataclass
class Answers:
    """What was answered so far; under ``--processes``, in a worker: since its last report."""

    correct: int = 0
    checked: int = 0

    @property
    def accuracy(self) -> float:
        """Percent of the answers that name the right digit."""
        return 100 * self.correct / self.checked if self.checked else float("nan")

    def report(self, client_id: str, data: dict[str, Any]) -> None:
        """Puts a worker's part into its report to the master."""
        data["digits"] = (self.correct, self.checked)
        self.correct = self.checked = 0

    def collect(self, client_id: str, data: dict[str, Any]) -> None:
        """Adds the part of a worker."""
        correct, checked = data["digits"]
        self.correct += correct
        self.checked += checked


@dataclass(frozen=True)
class Counts:
    """What the service has counted for the model."""

    requests: float
    executions: float
    rows: float
    batches: float

    def since(self, earlier: Counts) -> Counts:
        """How much each has grown."""
        return Counts(
            self.requests - earlier.requests,
            self.executions - earlier.executions,
            self.rows - earlier.rows,
            self.batches - earlier.batches,
        )

    @property
    def mean_batch(self) -> float:
        """Rows in a batch."""
        return self.rows / self.batches if self.batches else float("nan")

    @property
    def efficiency(self) -> float:
        """Percent of executions that batching has saved."""
        return 100 * (1 - self.executions / self.requests) if self.requests else float("nan")


answers = Answers()
before: list[Counts] = []


def add_options(parser: LocustArgumentParser) -> None:
    """Adds the options of this file."""
    add = parser.add_argument_group("resnet_model").add_argument
    add("--model", default="resnet_model", help="name of the model")
    add("--user-rate", type=float, default=1.0, help="requests a second of each user (1)")
    add("--metrics-url", default="", help="where its metrics are (HOST/metrics)")
    add("--want-requests", type=int, env_var="LOCUST_WANT_REQUESTS", help="goal, +- 5 %%")
    add("--min-mean-batch", type=float, env_var="LOCUST_MIN_MEAN_BATCH", help="goal, in rows")
    add("--min-efficiency", type=float, env_var="LOCUST_MIN_EFFICIENCY", help="goal, in percent")
    add("--min-accuracy", type=float, env_var="LOCUST_MIN_ACCURACY", help="goal, in percent")


def options_of(environment: Environment) -> Namespace:
    """What the command line said."""
    options: Namespace | None = environment.parsed_options
    assert options is not None
    return options


def problem_of(body: Any, model: str) -> str | None:
    """What is wrong with the body of an answer, None if nothing is."""
    try:
        (output,) = body["outputs"]
        got = (body["model_name"], output["name"], output["datatype"], output["shape"])
        values = len(output["data"])
    except (KeyError, TypeError, ValueError):
        return f"got {str(body)[:80]}, want outputs with one tensor"
    want = (model, "probabilities", "FP32", [1, 10])
    if got != want or values != 10:
        return f"got {got} with {values} values, want {want} with 10"
    return None


class DigitUser(FastHttpUser):
    """Somebody who sends one digit after another.

    The n-th request falls at a random moment of the user's n-th period: arrivals come one by one,
    although locust starts users together, once a second. Unlike with ``constant_throughput`` a user
    that was kept waiting catches up.
    """

    host = "http://127.0.0.1:8000"

    def on_start(self) -> None:
        """Waits for the first moment."""
        self.begin = time.monotonic()
        self.sent = 0
        time.sleep(self.wait_time())

    def wait_time(self) -> float:
        """Seconds until the next request is due."""
        rate: float = options_of(self.environment).user_rate
        due = self.begin + (self.sent + random.random()) / rate
        self.sent += 1
        return max(0.0, due - time.monotonic())

    @task
    def infer(self) -> None:
        """Sends one image and checks the answer's form; digits are only counted."""
        options = options_of(self.environment)
        number = random.randrange(len(BODIES))
        with self.client.post(
            f"/v2/models/{options.model}/infer",
            data=BODIES[number],
            headers={"Content-Type": "application/json"},
            catch_response=True,
        ) as reply:
            if reply.status_code != 200:
                reply.failure(f"status {reply.status_code}: {(reply.text or '')[:200]}")
                return
            try:
                body = json.loads(reply.text)
            except ValueError:
                reply.failure(f"got {reply.text[:80]!r}, want JSON")
                return
            problem = problem_of(body, options.model)
            if problem is not None:
                reply.failure(problem)
                return
            data = body["outputs"][0]["data"]
            answers.checked += 1
            answers.correct += data.index(max(data)) == LABELS[number]


def read_counts(environment: Environment) -> Counts | None:
    """What the service counts now; None (and a line on stderr) if it does not say."""
    options = options_of(environment)
    url = options.metrics_url or f"{(environment.host or DigitUser.host).rstrip('/')}/metrics"
    try:
        with urlopen(url, timeout=10) as reply:
            samples = parse_metrics(reply.read().decode())
    except (OSError, ValueError) as error:
        print(f"metrics: {url} cannot be read: {error}", file=sys.stderr)
        return None
    triton, own = {"model": options.model}, {"model_name": options.model}
    counts = [
        value_of(samples, name, labels)
        for name, labels in (
            ("nv_inference_request_success", triton),
            ("nv_inference_exec_count", triton),
            ("inference_batch_size_sum", own),
            ("inference_batch_size_count", own),
        )
    ]
    return Counts(*counts)


def value_of(samples: Samples, name: str, labels: dict[str, str]) -> float:
    """The sum of a family's series that have these labels."""
    return sum(value for have, value in samples.get(name, []) if labels.items() <= have.items())


def remember(environment: Environment, **_: Any) -> None:
    """Notes what the service had counted before."""
    answers.correct = answers.checked = 0
    before.clear()
    if not isinstance(environment.runner, WorkerRunner):
        counts = read_counts(environment)
        if counts is not None:
            before.append(counts)


def summarize(environment: Environment, **_: Any) -> None:
    """Prints the summary; names the goals that were missed."""
    if isinstance(environment.runner, WorkerRunner):
        return
    total = environment.stats.total
    after = read_counts(environment) if before else None
    grown = after.since(before[0]) if after is not None else Counts(0, 0, 0, 0)
    print(
        f"summary: {total.num_requests} requests, {total.num_failures} failures, "
        f"mean batch {grown.mean_batch:.2f}, batching efficiency {grown.efficiency:.1f} %, "
        f"accuracy {answers.accuracy:.1f} %, "
        f"P50 {total.get_response_time_percentile(0.5) or 0:.0f} ms, "
        f"P95 {total.get_response_time_percentile(0.95) or 0:.0f} ms",
        flush=True,
    )
    missed = missed_goals(options_of(environment), total.num_requests, grown)
    for line in missed:
        print(f"goal missed: {line}", file=sys.stderr)
    if missed:
        environment.process_exit_code = 1


def missed_goals(options: Namespace, requests: int, grown: Counts) -> list[str]:
    """A line for each goal that was named and missed; what is not known is missed too."""
    lines = []
    want = options.want_requests
    if want is not None and abs(requests - want) > REQUESTS_TOLERANCE * want:
        lines.append(f"{requests} requests, want {want} +- {REQUESTS_TOLERANCE:.0%}")
    for name, got, least in (
        ("mean batch", grown.mean_batch, options.min_mean_batch),
        ("batching efficiency", grown.efficiency, options.min_efficiency),
        ("accuracy", answers.accuracy, options.min_accuracy),
    ):
        if least is not None and not got >= least:
            lines.append(f"{name} {got:.2f}, want at least {least:g}")
    return lines


def listen() -> None:
    """Has locust call the functions above."""
    hooks: Any = events
    hooks.init_command_line_parser.add_listener(add_options)
    hooks.test_start.add_listener(remember)
    hooks.quitting.add_listener(summarize)
    hooks.report_to_master.add_listener(answers.report)
    hooks.worker_report.add_listener(answers.collect)


listen()
