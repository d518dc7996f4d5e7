"""What can go wrong in the lab, each for the whole of one ``run()``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from inferometer.testing.durations import Duration, seconds_of
from inferometer.testing.errors import LabError
from inferometer.testing.given_numbers import check_number, check_whole


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

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        check_number("Delay", "seconds", self.seconds)


@dataclass(frozen=True)
class Errors(Fault):
    """A share of the requests fails.

    Attributes:
        ratio: From 0 to 1.
        whole_batches: A failed request takes its batch along.
    """

    ratio: float
    whole_batches: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        check_number("Errors", "ratio", self.ratio, 1.0)


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

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        check_number("Flood", "rate", self.rate)
        check_whole("Flood", "rows", self.rows, 1)


@dataclass(frozen=True)
class TargetDown(Fault):
    """Scrapes fail.

    Attributes:
        after: How long each takes to: 0 where nobody listens, the scrape timeout where nobody
            answers.
    """

    after: Duration = 0.0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        seconds_of("TargetDown: after", self.after)


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

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        check_number("SlowScrape", "seconds", self.seconds)


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

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        check_whole("Gpu", "index", self.index)
        if not isinstance(self.readings, Mapping):
            raise LabError(f"Gpu: got readings {self.readings!r}, want names with values")


def checked(
    faults: Any, instances: Collection[str], models: Collection[str] | None
) -> Sequence[Fault]:
    """The faults of a phase.

    Args:
        faults: What was given.
        instances: The lab's targets.
        models: What they serve; None: the exposition is the test's own.

    Raises:
        LabError: What is no fault, or one that meets nobody.
    """
    if isinstance(faults, Fault) or not isinstance(faults, Iterable):
        raise LabError(f"faults: got {faults!r}, want a list of them: [Delay(2.5)]")
    found = list(faults)
    for fault in found:
        if not isinstance(fault, Fault):
            raise LabError(f"faults: got {fault!r}, want faults such as Delay(2.5)")
        if models is None and (fault.model is not None or isinstance(fault, OF_THE_SERVICE)):
            raise LabError(
                f"faults: got {fault!r}, want those of scrapes alone: the exposition is your own"
            )
        if models is not None and fault.model is not None and fault.model not in models:
            raise _nobody("model", fault.model, models)
        if fault.instance is not None and fault.instance not in instances:
            raise _nobody("instance", fault.instance, instances)
    return found


def _nobody(what: str, name: str, known: Collection[str]) -> LabError:
    return LabError(f"faults: got one for {name!r}, want {what}s among {', '.join(known)}")


# What only a simulated service can suffer.
OF_THE_SERVICE = (Delay, Errors, Stall, Flood)
