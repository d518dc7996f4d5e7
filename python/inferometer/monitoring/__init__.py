"""The monitoring files: what is alerted on, and the configuration that is written from it.

Attributes:
    Objectives: The thresholds of the alerts.
    Settings: What is watched, by whom, and where alerts go.
"""

from inferometer.monitoring.objectives import Objectives
from inferometer.monitoring.settings import Settings

__all__ = ["Objectives", "Settings"]
