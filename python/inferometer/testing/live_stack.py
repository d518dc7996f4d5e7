"""The fixture ``monitoring_stack``: a real Prometheus, Alertmanager and webhook for tests.

    def test_a_slow_model_is_reported(monitoring_stack, slow_service):
        monitoring_stack.scrape("127.0.0.1:8002")
        seen = monitoring_stack.wait_notification("HighInferenceLatencyWarning", timeout=60)
        assert seen.labels["severity"] == "warning"

The processes start once a session. Durations of rules, and the scrape interval, are divided by a
time scale; limits are not. ``@pytest.mark.monitoring_stack(time_scale=60, rules="my.yml")`` gives a
test its own.
"""

from __future__ import annotations

import difflib
import time
import urllib.parse
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from inferometer.monitoring.stack.local_stack import LocalStack
    from inferometer.monitoring.stack.webhook import Notification, Webhook

TIME_SCALE = 60
WAIT_SECONDS = 60.0


class MonitoringStack:
    """What tests ask a running stack, and what it has told them. Single-owner.

    Attributes:
        prometheus_url: For other queries.
        alertmanager_url: For silences.
        webhook_url: Where Alertmanager sends.
    """

    def __init__(self, stack: LocalStack, webhook: Webhook) -> None:
        self._stack = stack
        self._webhook = webhook
        self._first = 0
        self._used = False
        self._began = time.time()
        self._settings = stack.settings
        self.prometheus_url = stack.prometheus.url
        self.alertmanager_url = stack.alertmanager.url
        self.webhook_url = webhook.url

    def scrape(self, *targets: str, job: str = "triton", timeout: float = WAIT_SECONDS) -> None:
        """Has these targets scraped as one job, and waits until they have been. It stays so.

        Args:
            targets: ``host:port``, or URLs without a path other than ``/metrics``.
            job: Their label.
            timeout: Seconds. Prometheus takes up to five to begin.

        Raises:
            ValueError: A target that is neither.
            WaitError: One of them could not be scraped in time.
        """
        addresses = [_address(target) for target in targets]
        self._change(targets={**self._stack.settings.targets, job: addresses})
        self._settings = replace(self._settings, targets=self._stack.settings.targets)
        self._stack.wait_until_scraped(timeout)

    def use_rules(self, *rules: str | Path, time_scale: int | None = None) -> None:
        """Has these rule files evaluated until the test ends.

        Args:
            rules: Rule files; none: those that the stack began with.
            time_scale: Their durations are divided by it; None: as before.

        Raises:
            ValueError: They cannot be divided.
            HttpError: Prometheus refuses them, with its reasons.
        """
        paths = [Path(path).absolute() for path in rules] or self._settings.rules
        self._change(rules=paths, factor=time_scale or self._stack.settings.factor)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: a list of ``metric`` and ``value``."""
        return self._stack.prometheus.query(expression)

    def value(self, expression: str) -> float | None:
        """The value of a query with one result; None without one."""
        return self._stack.prometheus.value(expression)

    @property
    def notifications(self) -> list[Notification]:
        """What the webhook got since this test began."""
        return self._webhook.since(self._first)

    def wait_notification(
        self, name: str, status: str = "firing", timeout: float = WAIT_SECONDS, **labels: str
    ) -> Notification:
        """Waits for the first notification of this test that fits, and returns it.

        Args:
            name: Of the alert.
            status: ``"firing"`` or ``"resolved"``.
            timeout: Seconds.
            labels: What its labels have, among others.

        Raises:
            ValueError: No rule has that name.
            WaitError: None came in time.
        """
        self._check_name(name)
        return self._wait(
            lambda: next((n for n in self._of(name, labels) if n.status == status), None),
            f"a notification that {name} is {status}",
            timeout,
        )

    def wait_resolved(
        self, name: str, timeout: float = WAIT_SECONDS, **labels: str
    ) -> Notification:
        """Waits until the last notification of an alert is that it has resolved; returns that.

        Args:
            name: Of the alert.
            timeout: Seconds.
            labels: What its labels have, among others.

        Raises:
            ValueError: No rule has that name.
            WaitError: It did not fire, or has not resolved in time.
        """
        self._check_name(name)

        def last() -> Notification | None:
            seen = self._of(name, labels)
            return seen[-1] if seen and seen[-1].status == "resolved" else None

        return self._wait(last, f"a notification that {name} has resolved", timeout)

    def timeline(self) -> str:
        """What alerts did since this test began, and what the webhook got."""
        from inferometer.monitoring.stack.alert_timeline import alert_timeline, notification_lines

        lines = notification_lines(self.notifications, self._began)
        drawn = alert_timeline(self._stack.prometheus, self._began, time.time())
        return "\n".join([drawn, "notifications:", *(lines or ["none"])])

    def begin_test(self, rules: Sequence[str | Path], time_scale: int | None) -> None:
        """Forgets alerts and notifications of earlier tests; the plugin calls it before each."""
        wanted = replace(
            self._settings,
            rules=[Path(path).absolute() for path in rules] or self._settings.rules,
            factor=time_scale or self._settings.factor,
        )
        # The shipped rules have a Watchdog, which always fires: the first test does not mind.
        if self._used or wanted != self._stack.settings:
            self._stack.begin_anew(wanted)
            self._stack.wait_until_scraped()
        self._used = True
        self._first = self._webhook.count
        self._began = time.time()

    def complaints(self) -> list[str]:
        """What the logs of both have of warnings and errors."""
        return self._stack.complaints()

    def _change(self, **changes: Any) -> None:
        self._stack.change(replace(self._stack.settings, **changes))
        self._stack.wait_until_scraped()

    def _of(self, name: str, labels: dict[str, str]) -> list[Notification]:
        return [
            seen
            for seen in self.notifications
            if seen.name == name and labels.items() <= seen.labels.items()
        ]

    def _check_name(self, name: str) -> None:
        known = self._stack.prometheus.rule_names()
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; do you mean {near[0]}?" if near else f", want one of {sorted(known)}"
            raise ValueError(f"name: got {name!r}, which no rule has{hint}")

    def _wait(self, read: Any, what: str, seconds: float) -> Notification:
        from inferometer.monitoring.stack.waiting import wait_until

        def check() -> Notification | None:
            self._stack.prometheus_process.check()
            self._stack.alertmanager_process.check()
            found: Notification | None = read()
            return found

        found = wait_until(check, lambda seen: seen is not None, what, seconds)
        assert found is not None
        return found


def _address(target: str) -> str:
    parts = urllib.parse.urlsplit(target if "//" in target else f"http://{target}")
    if parts.scheme != "http" or not parts.port or parts.path not in ("", "/", "/metrics"):
        raise ValueError(f"target: got {target!r}, want host:port or http://host:port/metrics")
    return parts.netloc


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options of the stack."""
    group = parser.getgroup("inferometer")
    group.addoption(
        "--stack-time-scale",
        type=int,
        default=TIME_SCALE,
        metavar="N",
        help="monitoring_stack: divide all durations of rules by N (default 60)",
    )
    group.addoption(
        "--stack-rules",
        action="append",
        default=[],
        metavar="FILE",
        help="monitoring_stack: a rule file; may be repeated (default: the shipped rules)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line(
        "markers",
        "monitoring_stack(time_scale, rules): another time scale, or other rule files, for this"
        " test's monitoring_stack",
    )


@pytest.fixture(scope="session")
def monitoring_stack(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MonitoringStack]:
    """A running Prometheus and Alertmanager on free ports, and what they say."""
    from inferometer.monitoring.stack.configuration import StackSettings
    from inferometer.monitoring.stack.local_stack import LocalStack
    from inferometer.monitoring.stack.webhook import Webhook

    settings = StackSettings(
        rules=[Path(path).absolute() for path in pytestconfig.getoption("--stack-rules")],
        factor=pytestconfig.getoption("--stack-time-scale"),
    )
    folder = tmp_path_factory.mktemp("monitoring_stack")
    with (
        Webhook() as webhook,
        LocalStack(folder, settings, f"{webhook.url}/", ends_with_us=True) as stack,
    ):
        stack.wait_until_scraped()
        yield MonitoringStack(stack, webhook)


@pytest.fixture(autouse=True)
def _monitoring_stack_per_test(request: pytest.FixtureRequest) -> None:
    if "monitoring_stack" not in request.fixturenames:
        return
    stack: MonitoringStack = request.getfixturevalue("monitoring_stack")
    marker = request.node.get_closest_marker("monitoring_stack")
    wanted = {"time_scale": None, "rules": ()} | ({} if marker is None else marker.kwargs)
    unknown = wanted.keys() - {"time_scale", "rules"}
    if unknown or (marker is not None and marker.args):
        raise pytest.UsageError(
            "the marker monitoring_stack takes time_scale=N and rules=FILE or [FILE, ...]; got"
            f" {sorted(unknown) or list(marker.args if marker else ())}"
        )
    rules = wanted["rules"]
    stack.begin_test([rules] if isinstance(rules, (str, Path)) else rules, wanted["time_scale"])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Adds the timeline and the logs' warnings to a failure."""
    report = yield
    stack = getattr(item, "funcargs", {}).get("monitoring_stack")
    if stack is not None and report.failed:
        try:
            text = "\n".join([stack.timeline(), "warnings and errors in the logs:"])
        except Exception as error:  # a stack that has ended must not hide the failure
            text = f"no timeline: {error}"
        report.sections.append(
            ("monitoring_stack", "\n".join([text, *(stack.complaints() or ["none"])]))
        )
    return report
