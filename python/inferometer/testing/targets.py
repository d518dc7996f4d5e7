"""Targets in virtual time: services that go on while nobody, or Prometheus, looks at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from inferometer.testing import gpus
from inferometer.testing.durations import seconds_of, text_of
from inferometer.testing.errors import LabError
from inferometer.testing.faults import Fault, Gpu, SlowScrape, TargetDown, TargetGone
from inferometer.testing.lab_options import LabOptions, Scraping
from inferometer.testing.loads import Load, by_model
from inferometer.testing.scrapes import ScrapeHistory, Target
from inferometer.testing.simulated_service import SimulatedService


class LabTarget:
    """One target and how scraping it goes. Single-owner.

    Args:
        instance: Its name.
        options: The lab's.
        scraping: How it is scraped.
    """

    def __init__(self, instance: str, options: LabOptions, scraping: Scraping) -> None:
        self._target = Target(instance, scraping.job, scraping.labels)
        self._options = options
        self._timeout = scraping.timeout
        self._faults: list[Fault] = []
        self._models = options.models_by_name()
        self._service: SimulatedService | None = None
        if options.exposition is None:
            self._service = SimulatedService(instance, list(self._models.values()))
        self._gpu_texts: dict[str, str] = {}

    def begin(self, end: float, load: Load, faults: Sequence[Fault]) -> None:
        """A phase begins."""
        self._faults = [fault for fault in faults if fault.meets(self._target.instance)]
        self._faults += [
            fault
            for fault in faults
            if fault.model is not None and fault.meets(self._target.instance, fault.model)
        ]
        if self._service is not None:
            self._service.begin(end, by_model(load, self._models), self._faults)
        elif load is not None:
            raise LabError(f"load: got {load!r}, want none: the exposition is your own")

    def advance_to(self, moment: float) -> None:
        """Time goes by, scraped or not."""
        if self._service is not None:
            self._service.advance_to(moment)

    def scrape(self, moment: float, history: ScrapeHistory) -> None:
        """Prometheus looks at it, or tries to."""
        if self._has(TargetGone):
            return
        seconds = self._options.scrape_seconds
        for fault in self._faults:
            if isinstance(fault, TargetDown):
                history.fail(self._target, min(seconds_of("after", fault.after), self._timeout))
                return
            if isinstance(fault, SlowScrape):
                seconds = fault.seconds
        if seconds >= self._timeout:
            history.fail(self._target, self._timeout)
            return
        try:
            text = self._text(moment)
        except OSError:
            history.fail(self._target, seconds)
            return
        history.scrape(self._target, text, seconds)

    def _has(self, kind: type[Fault]) -> bool:
        return any(isinstance(fault, kind) for fault in self._faults)

    def _text(self, moment: float) -> str:
        expose: Callable[[float], str | bytes] | None = self._options.exposition
        if self._service is not None:
            text = self._service.exposition()
        elif expose is not None:
            text = _decoded(expose(moment), moment)
        of_gpus = self._gpu_text()
        return text if not of_gpus else text.rstrip("\n") + "\n" + of_gpus

    def _gpu_text(self) -> str:
        readings: list[Mapping[str, int | str]] = list(self._options.gpus)
        for fault in self._faults:
            if isinstance(fault, Gpu):
                if not 0 <= fault.index < len(readings):
                    raise LabError(
                        f"Gpu: got index {fault.index}, want one of the lab's {len(readings)} gpus"
                    )
                readings[fault.index] = {**readings[fault.index], **fault.readings}
        if not readings:
            return ""
        text = self._gpu_texts.get(repr(readings))
        if text is None:
            # The families of the exposition itself are in the service's.
            lines = gpus.exposition(readings).splitlines(keepends=True)
            text = "".join(line for line in lines if not line.startswith("inferometer_"))
            self._gpu_texts[repr(readings)] = text
        return text


def _decoded(got: Any, moment: float) -> str:
    if isinstance(got, bytes):
        # What is no UTF-8 stays to be seen: Prometheus refuses it where it reads it.
        return got.decode("utf-8", "surrogateescape")
    if not isinstance(got, str):
        raise LabError(f"exposition: got {got!r} at {text_of(moment)}, want text or bytes")
    return got
