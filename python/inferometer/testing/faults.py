"""What can go wrong in the lab, each for the whole of one ``run()``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inferometer.testing.durations import Duration


@dataclass(frozen=True)
class Fault:
    """What happens to whom.

    Attributes:
        model: To this model alone; None: to all.
        instance: At this target alone; None: at all.
    """

    model: str | None = field(default=None, kw_only=True)
    instance: str | None = field(default=None, kw_only=True)

    def meets(self, instance: str, model: str | None = None) -> bool:
        """Whether it is for a model at a target."""
        return self.instance in (None, instance) and self.model in (None, model)


@dataclass(frozen=True)
class Delay(Fault):
    """Every batch takes longer.

    Attributes:
        seconds: By so much.
    """

    seconds: float


@dataclass(frozen=True)
class Errors(Fault):
    """A share of the requests fails.

    Attributes:
        ratio: From 0 to 1.
        whole_batches: A failed request takes its batch along.
    """

    ratio: float
    whole_batches: bool = False


@dataclass(frozen=True)
class Stall(Fault):
    """The model does not return before this is over."""


@dataclass(frozen=True)
class Flood(Fault):
    """More requests than the load has.

    Attributes:
        rate: So many a second more.
        rows: Of each.
    """

    rate: float
    rows: int = 1


@dataclass(frozen=True)
class TargetDown(Fault):
    """Scrapes fail.

    Attributes:
        after: How long each takes to: 0 where nobody listens, the scrape timeout where nobody
            answers.
    """

    after: Duration = 0.0


@dataclass(frozen=True)
class TargetGone(Fault):
    """Prometheus does not know the target any more: no scrapes, no ``up``."""


@dataclass(frozen=True)
class SlowScrape(Fault):
    """Scrapes take longer; from the scrape timeout on they fail.

    Attributes:
        seconds: So long each.
    """

    seconds: float


@dataclass(frozen=True)
class Gpu(Fault):
    """What NVML says of a GPU.

    Attributes:
        index: Which, from 0.
        readings: What the fake NVML answers, for example ``{"utilization": 97}`` (percent),
            ``{"memory_used": 76 * 2**30}`` (bytes) or ``{"handle": "!GPU_IS_LOST"}``.
    """

    index: int
    readings: Mapping[str, int | str]
