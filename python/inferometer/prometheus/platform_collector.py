"""``python_info``: which Python this is."""

from __future__ import annotations

import platform as standard_platform
from collections.abc import Iterable
from typing import Any

from inferometer.prometheus.families import GaugeMetricFamily
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry


class PlatformCollector:
    """Shows which Python this is.

    Args:
        registry: Where to register; None: nowhere.
        platform: What to ask instead of the module ``platform``.
    """

    def __init__(self, registry: CollectorRegistry | None = REGISTRY, platform: Any = None) -> None:
        asked = standard_platform if platform is None else platform
        info = dict(
            zip(("major", "minor", "patchlevel"), asked.python_version_tuple(), strict=True),
            version=asked.python_version(),
            implementation=asked.python_implementation(),
        )
        family = GaugeMetricFamily("python_info", "Python platform information", labels=list(info))
        family.add_metric(list(info.values()), 1)
        self._families = [family]
        if registry:
            registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """The family ``python_info``."""
        return self._families


PLATFORM_COLLECTOR = PlatformCollector()
"""The one in ``REGISTRY``."""
