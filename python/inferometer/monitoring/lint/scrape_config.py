"""What a Prometheus configuration does to the series of its targets, as far as rules see it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from inferometer.monitoring.lint.durations import duration_seconds
from inferometer.monitoring.lint.samples import SampleInfo
from inferometer.monitoring.lint.source_text import SourceError
from inferometer.monitoring.lint.yaml_tree import Tree, read_yaml

_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True)
class Relabeling:
    """One entry of ``metric_relabel_configs``.

    Attributes:
        action: What it does.
        sources: The labels it reads.
        pattern: What they, joined, have to match.
        target: The label it writes.
        replacement: What it writes, with `$1` for what matched.
    """

    action: str
    sources: tuple[str, ...]
    pattern: re.Pattern[str]
    target: str
    replacement: str

    def apply(self, sample: SampleInfo) -> SampleInfo | None:
        """The sample after it; None if it is dropped. Only conditions on the name are read."""
        by_name = self.sources == ("__name__",)
        found = self.pattern.fullmatch(sample.name) if by_name else None
        if self.action in ("drop", "keep") and by_name:
            return sample if (found is not None) == (self.action == "keep") else None
        if self.action == "replace" and found is not None and self.target == "__name__":
            return replace(sample, name=_expanded(self.replacement, found))
        if sample.labels is None:
            return sample
        if self.action == "replace" and self.target != "__name__":
            return replace(sample, labels=sample.labels | {self.target})
        if self.action in ("labeldrop", "labelkeep"):
            keep = self.action == "labelkeep"
            kept = {x for x in sample.labels if bool(self.pattern.fullmatch(x)) == keep}
            return replace(sample, labels=frozenset(kept))
        return sample


@dataclass(frozen=True)
class ScrapeConfig:
    """A Prometheus configuration.

    Attributes:
        scrape_interval: Seconds, the longest of its jobs.
        jobs: Values of the label ``job``, mapped to what happens to their samples.
        target_labels: Labels that its targets may have.
    """

    scrape_interval: float
    jobs: Mapping[str, tuple[Relabeling, ...]]
    target_labels: frozenset[str]

    def apply(self, samples: Mapping[str, SampleInfo]) -> dict[str, SampleInfo]:
        """The samples that are stored, of whatever job."""
        stored: dict[str, SampleInfo] = {}
        for steps in self.jobs.values() or [()]:
            for sample in samples.values():
                kept: SampleInfo | None = sample
                for step in steps:
                    kept = step.apply(kept) if kept is not None else None
                if kept is not None:
                    stored[kept.name] = kept
        return stored


def _words(tree: Tree | None) -> tuple[str, ...]:
    return () if tree is None else tuple(item.text or "" for item in tree.items())


def _text(tree: Tree | None, default: str) -> str:
    return default if tree is None else tree.text or ""


def _relabeling(tree: Tree) -> Relabeling:
    regex = _text(tree.get("regex"), "(.*)")
    try:
        pattern = re.compile(regex)
    except re.error as error:
        raise SourceError(f"got the regex {regex!r}: {error}", tree.line) from None
    return Relabeling(
        _text(tree.get("action"), "replace").lower(),
        _words(tree.get("source_labels")),
        pattern,
        _text(tree.get("target_label"), ""),
        _text(tree.get("replacement"), "$1"),
    )


def _expanded(template: str, found: re.Match[str]) -> str:
    """A replacement as Go writes it: what names no group is empty."""

    def group(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        try:
            return found[int(name) if name.isdigit() else name] or ""
        except IndexError:
            return ""

    return _REFERENCE.sub(group, template)


def _target_labels(job: Tree) -> Iterator[str]:
    for static in _items(job, "static_configs"):
        labels = static.get("labels")
        yield from (name for name, _ in labels.pairs()) if labels is not None else ()
    for step in _items(job, "relabel_configs"):
        target = _text(step.get("target_label"), "")
        if target and not target.startswith("__"):
            yield target


def _items(tree: Tree, key: str) -> list[Tree]:
    found = tree.get(key)
    return [] if found is None else list(found.items())


def read_scrape_config(text: str) -> ScrapeConfig:
    """Reads a Prometheus configuration.

    Raises:
        SourceError: If it is none.
    """
    tree = read_yaml(text)
    if tree is None or tree.get("scrape_configs") is None:
        raise SourceError("got no scrape_configs, want a Prometheus configuration")
    overall = tree.get("global")
    default = None if overall is None else overall.get("scrape_interval")
    intervals = [_text(default, "1m")]
    jobs: dict[str, tuple[Relabeling, ...]] = {}
    target_labels: set[str] = set()
    for job in _items(tree, "scrape_configs"):
        name = _text(job.get("job_name"), "")
        jobs[name] = tuple(map(_relabeling, _items(job, "metric_relabel_configs")))
        target_labels.update(_target_labels(job))
        own = job.get("scrape_interval")
        intervals += [] if own is None else [_text(own, "")]
    seconds = [duration_seconds(interval) for interval in intervals]
    if None in seconds:
        raise SourceError(f"got the scrape intervals {', '.join(intervals)}, want durations: 15s")
    external = None if overall is None else overall.get("external_labels")
    target_labels.update(name for name, _ in (external.pairs() if external is not None else ()))
    return ScrapeConfig(
        max(value for value in seconds if value is not None), jobs, frozenset(target_labels)
    )
