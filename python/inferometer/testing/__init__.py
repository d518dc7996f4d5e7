"""Tests of monitoring: alerts proved in virtual time, and against a real Prometheus.

A pytest plugin (entry point ``inferometer.testing``). Its fixture ``alert_lab`` runs a simulated
service, or an exposition of your own, in virtual time and has the real rule engine evaluate the
rules on what was scraped; docs/alert_testing.md shows how. Everything here works outside of pytest
too:

    from inferometer.testing import AlertLab, Delay, LabOptions

Importing this package loads neither the native module nor numpy nor a parser: the names below come
with their first use. They need the extra ``[testing]``.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

    from inferometer.testing.alert_lab import AlertLab
    from inferometer.testing.errors import LabError, ToolMissingError
    from inferometer.testing.faults import (
        Delay,
        Errors,
        Fault,
        Flood,
        Gpu,
        SlowScrape,
        Stall,
        TargetDown,
        TargetGone,
    )
    from inferometer.testing.lab_options import LabOptions
    from inferometer.testing.loads import Random, Recorded, Steady
    from inferometer.testing.simulated_service import Model
    from inferometer.testing.timeline import Episode, Timeline

__all__ = [
    "AlertLab",
    "Delay",
    "Episode",
    "Errors",
    "Fault",
    "Flood",
    "Gpu",
    "LabError",
    "LabOptions",
    "Model",
    "Random",
    "Recorded",
    "SlowScrape",
    "Stall",
    "Steady",
    "TargetDown",
    "TargetGone",
    "Timeline",
    "ToolMissingError",
]

_FROM = {
    "AlertLab": "alert_lab",
    "Episode": "timeline",
    "LabError": "errors",
    "LabOptions": "lab_options",
    "Model": "simulated_service",
    "Random": "loads",
    "Recorded": "loads",
    "Steady": "loads",
    "Timeline": "timeline",
    "ToolMissingError": "errors",
}
# The parts of the pytest plugin, each a plugin itself.
_PLUGINS = ("plugin", "live_stack", "lint_items")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'inferometer.testing' has no attribute {name!r}")
    module = importlib.import_module(f"inferometer.testing.{_FROM.get(name, 'faults')}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Registers the parts; pytest then asks each of them for its options."""
    for part in _PLUGINS:
        name = f"inferometer.testing.{part}"
        if importlib.util.find_spec(name) is not None and not pluginmanager.has_plugin(name):
            pluginmanager.register(importlib.import_module(name), name)
