"""Whose values they are: our libraries, the peers, and what else is compared with."""

from __future__ import annotations

from typing import Final

CORE: Final = "inferometer, C++"
APP: Final = "im.Registry"
DROP_IN: Final = "inferometer.prometheus"
CPP: Final = "prometheus-cpp"
CLIENT: Final = "prometheus_client"
NOBODY: Final = "nobody"
BUSY: Final = "another process"
HASHING: Final = "hashing"
