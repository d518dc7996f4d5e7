"""One drill from its load to the end of its alert."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from inferometer.monitoring.drill.ground import Ground
from inferometer.monitoring.drill.scenario import Scenario
from inferometer.monitoring.stack.alert_timeline import alert_timeline
from inferometer.monitoring.stack.http_client import HttpError
from inferometer.monitoring.stack.processes import ProcessError
from inferometer.monitoring.stack.service import DRILL_MODEL, clear_faults, inject
from inferometer.monitoring.stack.steady_load import SteadyLoad, infer_body
from inferometer.monitoring.stack.waiting import WaitError
from inferometer.monitoring.stack.webhook import Notification

_POLL_SECONDS = 0.1
_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Limits:
    """How long a drill may take, in seconds.

    Attributes:
        total: From the first request to the end of the alert.
        fault: After so much the service ends the fault by itself, whatever becomes of the drill.
    """

    total: float
    fault: float


@dataclass
class Outcome:
    """What came of a drill.

    Attributes:
        events: What happened, with the seconds since the drill began.
        fired: The notification of the alert.
        resolved: And of its end.
        problem: What it failed on; None if it did not.
        load: What came of the requests.
        timeline: What all alerts did, as text.
    """

    events: list[tuple[float, str]] = field(default_factory=list)
    fired: Notification | None = None
    resolved: Notification | None = None
    problem: str | None = None
    load: dict[str, object] = field(default_factory=dict)
    timeline: str = ""

    @property
    def passed(self) -> bool:
        """Whether the alert has both fired and resolved."""
        return self.problem is None and self.fired is not None and self.resolved is not None


def run_drill(
    ground: Ground, scenario: Scenario, limits: Limits, say: Callable[[str], None]
) -> Outcome:
    """Runs one drill. Whatever ends it, no fault stays behind.

    Args:
        ground: Where.
        scenario: Which.
        limits: How long.
        say: Is told what happens.
    """
    outcome = Outcome()
    began = time.time()
    drill = _Drill(ground, scenario, began + limits.total, say, outcome, began)
    body = infer_body("x", (scenario.rows, 1), [1.0] * scenario.rows)
    with SteadyLoad(ground.address.infer_url(DRILL_MODEL), [body], scenario.rate) as load:
        try:
            drill.note(f"load: {scenario.rate:g} requests a second to the model {DRILL_MODEL}")
            drill.wait_until_quiet()
            with drill.trouble(limits.fault):
                outcome.fired = drill.wait_for("firing")
            outcome.resolved = drill.wait_for("resolved")
        except (WaitError, HttpError, ProcessError) as error:
            outcome.problem = str(error)
            drill.note(f"failed: {error}")
        finally:
            outcome.load = load.summary()
    with contextlib.suppress(HttpError):
        outcome.timeline = alert_timeline(ground.prometheus, began, time.time())
    return outcome


class _Drill:
    def __init__(
        self,
        ground: Ground,
        scenario: Scenario,
        deadline: float,
        say: Callable[[str], None],
        outcome: Outcome,
        began: float,
    ) -> None:
        self._ground = ground
        self._scenario = scenario
        self._deadline = deadline
        self._say = say
        self._outcome = outcome
        self._began = began

    def note(self, text: str, moment: float | None = None) -> None:
        seconds = (time.time() if moment is None else moment) - self._began
        self._outcome.events.append((round(seconds, 2), text))
        self._say(f"{seconds:7.1f} s  {text}")

    def wait_until_quiet(self) -> None:
        """Returns when the load is in Prometheus and no alert of the drill is pending or firing."""
        query = f'sum(inference_requests_total{{model_name="{DRILL_MODEL}",status="success"}})'

        def quiet() -> str:
            if any(self._ground.prometheus.alerts(name) for name in self._scenario.alerts):
                return "an alert of the drill is already pending or firing"
            if not self._ground.prometheus.value(query):
                return "no request of the load has been scraped"
            return ""

        self._poll(quiet, lambda seen: not seen, "waiting for the load in Prometheus, and no alert")

    @contextlib.contextmanager
    def trouble(self, seconds: float) -> Iterator[None]:
        """The fault is there while the block runs."""
        self.note(f"fault: {self._scenario.text}")
        self._begin_trouble(seconds)
        try:
            yield
        finally:
            try:
                self.note("the fault is removed")
            finally:  # also where nobody can be told any more
                self._end_trouble()

    def _begin_trouble(self, seconds: float) -> None:
        if self._scenario.action == "stop":
            self._ground.service.stop()
        elif self._scenario.action == "gpu":
            self._fill_gpu(True)
        else:
            fault = {**(self._scenario.fault or {}), "duration": seconds}
            inject(self._ground.address, DRILL_MODEL, fault)

    def _end_trouble(self) -> None:
        if self._scenario.action == "stop":
            self._ground.service.start()
        elif self._scenario.action == "gpu":
            self._fill_gpu(False)
        else:
            clear_faults(self._ground.address, DRILL_MODEL)

    def _fill_gpu(self, full: bool) -> None:
        if self._ground.fill_gpu is None:
            raise ProcessError("this stack has no GPU to fill")
        self._ground.fill_gpu(full)

    def wait_for(self, status: str) -> Notification:
        """The notification of the alert, or of the end of the one that fired."""
        fired = self._outcome.fired
        names = self._scenario.alerts if fired is None else (fired.name,)

        def seen() -> Notification | None:
            for got in self._ground.notifications(self._ground.first):
                if got.status == status and got.name in names and self._is_ours(got):
                    return got
            return None

        what = f"{' or '.join(names)} {status} at the webhook"
        found = self._poll(seen, lambda got: got is not None, f"waiting for {what}")
        assert isinstance(found, Notification)
        self.note(f"{found.name} {status}: at the webhook, receiver {found.receiver}", found.time)
        return found

    def _is_ours(self, got: Notification) -> bool:
        fired = self._outcome.fired
        if fired is not None:
            return got.labels == fired.labels and got.number > fired.number
        return got.labels.get("model_name", DRILL_MODEL) == DRILL_MODEL

    def _poll(self, read: Callable[[], Any], accept: Callable[[Any], bool], what: str) -> Any:
        due = time.time() + _PROGRESS_SECONDS
        while True:
            seen = read()
            if accept(seen):
                return seen
            now = time.time()
            if now >= self._deadline:
                raise WaitError(f"{what}: not within {self._deadline - self._began:g} s")
            if now >= due:
                due = now + _PROGRESS_SECONDS
                states = [
                    f"{name}: {alert['state']}"
                    for name in self._scenario.alerts
                    for alert in self._ground.prometheus.alerts(name)
                ]
                self._say(f"{now - self._began:7.1f} s  {what} ({', '.join(states) or 'inactive'})")
            time.sleep(_POLL_SECONDS)
