"""Which series there are: the catalogue's, recorded ones, Prometheus' own, the user's."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from inferometer.monitoring.lint.samples import META_SAMPLES, SampleInfo, catalogue_samples
from inferometer.monitoring.lint.settings import Settings
from inferometer.monitoring.lint.value import Value

OUR_PREFIXES = ("inference_", "inferometer_", "nv_", "gpu_", "process_")
_SUFFIXES = ("_bucket", "_sum", "_count", "_total")


class Knowledge:
    """What a set of files may refer to. Single-owner.

    Args:
        settings: Which metrics there are besides the catalogue's, and what becomes of all of them.

    Attributes:
        exposed: The samples of the catalogue and the user, as they are stored, by name.
        recorded: What the recording rules of the files record, by name.
        alerts: The names of the files' alerts.
        target_labels: Labels besides ``job`` and ``instance`` that any series may have.
        scrape_interval: Seconds between scrapes.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.exposed = catalogue_samples()
        config = settings.scrape_config
        if config is not None:
            self.exposed = config.apply(self.exposed)
        for sample in settings.metrics.values():
            self.exposed.setdefault(sample.name, sample)
        self._samples: Mapping[str, SampleInfo] = {**META_SAMPLES, **self.exposed}
        self.recorded: dict[str, Value] = {}
        self.alerts: dict[str, None] = {}
        self.target_labels = settings.target_labels | (
            config.target_labels if config is not None else frozenset()
        )
        self.scrape_interval = (
            settings.scrape_interval if config is None else config.scrape_interval
        )

    def sample(self, name: str) -> SampleInfo | None:
        """The series of a name; None if there are none, or nothing is known of them."""
        return self._samples.get(name)

    def is_missing(self, name: str) -> bool:
        """Whether a name that is neither known nor recorded is a mistake."""
        return self.settings.all_metrics_known or name.startswith(OUR_PREFIXES)

    def not_a_histogram(self, name: str) -> SampleInfo | None:
        """The metric of which a name would be the buckets, if it is no histogram."""
        stem = name.removesuffix("_bucket")
        sample = self.sample(stem) if stem != name else None
        return sample if sample is not None and sample.kind in ("counter", "gauge") else None

    def suggestion(self, name: str) -> str:
        """A sentence on what may be meant by an unknown name; empty if nothing is near."""
        names = [*self._samples, *self.recorded]
        for suffix in _SUFFIXES:
            for candidate in (name + suffix, name.removesuffix(suffix)):
                if candidate != name and candidate in names:
                    return f"did you mean {candidate}?"
        return did_you_mean(name, names)


def did_you_mean(word: str, known: list[str]) -> str:
    """A question if a known word is near; else empty."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"did you mean {near[0]}?" if near else ""
