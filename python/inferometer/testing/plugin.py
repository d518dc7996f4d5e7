"""The pytest side of the alert lab: its fixture, options, coverage and mutation."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from inferometer.testing.errors import LabError, ToolMissingError

if TYPE_CHECKING:
    from inferometer.testing.alert_lab import AlertLab
    from inferometer.testing.ledger import Ledger

_LEDGER = pytest.StashKey["Ledger | None"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options and ini keys of the lab."""
    group = parser.getgroup("inferometer")
    group.addoption(
        "--alerts-rules",
        action="append",
        default=[],
        metavar="FILE",
        help="alert_lab: a rule file, * allowed; may be repeated (ini: alerts_rules)",
    )
    group.addoption(
        "--alerts-coverage",
        action="store_true",
        help="report which alerts no test made fire",
    )
    group.addoption(
        "--alerts-require",
        type=float,
        metavar="PERCENT",
        help="fail if fewer alerts were made to fire (implies --alerts-coverage)",
    )
    group.addoption(
        "--alerts-mutation",
        action="store_true",
        help="change the rules one way at a time; fail if no test notices (ini: alerts_survivors)",
    )
    group.addoption(
        "--alerts-require-tools",
        action="store_true",
        help="fail instead of skip where promtool, Alertmanager or the fake NVML is missing",
    )
    parser.addini("alerts_rules", "rule files of alert_lab, one a line, * allowed", "linelist")
    parser.addini("alerts_prometheus", "prometheus.yml of alert_lab")
    parser.addini("alerts_alertmanager", "alertmanager.yml of alert_lab")
    parser.addini("alerts_survivors", "mutants that no test has to notice, with reasons (YAML)")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker, and what is remembered of all tests."""
    config.addinivalue_line(
        "markers", "alert_lab(**options): options of inferometer.testing.LabOptions for alert_lab"
    )
    config.stash[_LEDGER] = None
    _check_one_process(config)


def _check_one_process(config: pytest.Config) -> None:
    """Refuses to count what the tests of several processes prove: each knows of its own alone.

    Raises:
        UsageError: They are to run in more than one (pytest-xdist).
    """
    # A worker, which is given all options, is never the one that counts.
    several = config.getoption("dist", "no") != "no" and not config.getoption("collectonly")
    for option in ("coverage", "require", "mutation") if several else ():
        given = config.getoption(f"--alerts-{option}")
        if given is not None and given is not False:
            raise pytest.UsageError(
                f"--alerts-{option}: got tests in several processes, of which each knows what its "
                "own tests prove: run it without pytest-xdist's -n and --dist, or with -n 0"
            )


def ledger(config: pytest.Config) -> Ledger:
    """What the tests of this session did with alerts."""
    from inferometer.testing.ledger import Ledger

    kept = config.stash[_LEDGER]
    if kept is None:
        kept = Ledger(keep_labs=config.getoption("--alerts-mutation"))
        config.stash[_LEDGER] = kept
    return kept


@pytest.fixture
def alert_lab(request: pytest.FixtureRequest) -> Iterator[AlertLab]:
    """A service in virtual time and the rules, as the ini keys and the marker say."""
    from inferometer.testing import tools
    from inferometer.testing.alert_lab import AlertLab

    try:
        tools.find("promtool")
    except ToolMissingError as missing:
        _missing(request.config, missing)
    lab = AlertLab(lab_options(request.config).changed(_marked(request)))
    yield lab
    ledger(request.config).add(request.node.nodeid, lab)


def lab_options(config: pytest.Config) -> Any:
    """The options of labs in this session."""
    from inferometer.testing.lab_options import LabOptions

    return LabOptions(
        rules=config.getoption("--alerts-rules") or config.getini("alerts_rules"),
        prometheus=config.getini("alerts_prometheus") or None,
        alertmanager=config.getini("alerts_alertmanager") or None,
        folder=config.rootpath,
    )


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("alert_lab"))):
        if marker.args:
            raise LabError(f"the marker alert_lab: got {marker.args!r}, want keywords alone")
        options |= marker.kwargs
    return options


def _missing(config: pytest.Config, error: ToolMissingError) -> None:
    if config.getoption("--alerts-require-tools"):
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Skips a test that turns out to need a program that is not there."""
    try:
        return (yield)
    except ToolMissingError as missing:
        _missing(pyfuncitem.config, missing)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Judges coverage, and runs the mutants."""
    config = session.config
    required = config.getoption("--alerts-require")
    if required is None and not config.getoption("--alerts-mutation"):
        return
    from inferometer.testing import mutation_run

    kept = ledger(config)
    failed = required is not None and kept.coverage().percent < required
    if config.getoption("--alerts-mutation"):
        name = config.getini("alerts_survivors")
        listed = mutation_run.read_survivors(config.rootpath / name) if name else {}
        kept.mutation = mutation_run.run(kept.labs, listed)
        failed |= not kept.mutation.passed
    if failed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Prints coverage and mutation."""
    required = config.getoption("--alerts-require")
    if config.getoption("--alerts-coverage") or required is not None:
        terminalreporter.section("alert coverage")
        terminalreporter.write_line(ledger(config).coverage().text(required))
    kept = config.stash[_LEDGER]
    if kept is not None and kept.mutation is not None:
        terminalreporter.section("alert mutation")
        terminalreporter.write_line(kept.mutation.text())
