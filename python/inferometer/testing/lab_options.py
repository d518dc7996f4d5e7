"""What a lab is made of: rules, targets, and the intervals of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from inferometer.testing.durations import Duration, seconds_of
from inferometer.testing.errors import LabError
from inferometer.testing.gpus import Readings
from inferometer.testing.simulated_service import Model

Exposition = Callable[[float], str | bytes]
"""What your service exposes at a second of the lab; an OSError is a scrape that fails."""


@dataclass(frozen=True)
class LabOptions:
    """How a lab is set up. Paths are relative to ``folder``.

    Attributes:
        rules: Rule files, with ``*`` where wanted; none: the ``rule_files`` of ``prometheus``.
        prometheus: A prometheus.yml, of which the lab takes intervals, the first job (or ``job``)
            with its targets and labels, ``metric_relabel_configs`` and ``external_labels``.
        alertmanager: An alertmanager.yml, for ``assert_inhibited`` and ``assert_routed``.
        models: What each simulated target serves: names, or a ``Model`` each.
        exposition: In place of simulated targets.
        instances: The targets; none: those of ``prometheus``, or ``triton:8002``.
        job: The label ``job``; None: that of ``prometheus``, or ``triton``.
        labels: More labels of the targets.
        gpus: What the fake NVML answers for each GPU of each target.
        scrape_interval: None: that of ``prometheus``, or 15 s.
        scrape_timeout: None: that of ``prometheus``, or 10 s.
        evaluation_interval: None: the shortest ``interval`` of the groups with alerts; where none
            has any, that of ``prometheus``, or a minute.
        scrape_seconds: What ``scrape_duration_seconds`` shows of a scrape without faults.
        folder: Where the paths begin.
    """

    rules: Sequence[str | Path] = ()
    prometheus: str | Path | None = None
    alertmanager: str | Path | None = None
    models: Sequence[str | Model] = ("model",)
    exposition: Exposition | None = None
    instances: Sequence[str] = ()
    job: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    gpus: Sequence[Readings] = ()
    scrape_interval: Duration | None = None
    scrape_timeout: Duration | None = None
    evaluation_interval: Duration | None = None
    scrape_seconds: float = 0.005
    folder: Path = field(default_factory=Path.cwd)

    def __post_init__(self) -> None:
        """Refuses what is easily given by mistake.

        Raises:
            LabError: One where several are wanted, or what is no mapping or function.
        """
        for name in ("rules", "models", "instances", "gpus"):
            value = getattr(self, name)
            if isinstance(value, str | Mapping) or not isinstance(value, Iterable):
                raise LabError(f"{name}: got {value!r}, want a list of them")
        if not isinstance(self.labels, Mapping):
            raise LabError(f"labels: got {self.labels!r}, want names with values")
        if self.exposition is not None and not callable(self.exposition):
            raise LabError(
                f"exposition: got {self.exposition!r}, want a function of the second, which "
                "returns text or bytes"
            )

    def changed(self, changes: Mapping[str, Any]) -> LabOptions:
        """With other values.

        Raises:
            LabError: A name that is no option.
        """
        unknown = sorted(changes.keys() - self.__dataclass_fields__.keys())
        if unknown:
            names = ", ".join(self.__dataclass_fields__)
            raise LabError(f"alert_lab: got the option {unknown[0]!r}, want one of {names}")
        return replace(self, **changes)

    def path(self, name: str | Path) -> Path:
        """Where a file is."""
        return self.folder / name

    def models_by_name(self) -> dict[str, Model]:
        """The models.

        Raises:
            LabError: None, or two of one name.
        """
        models = [Model(one) if isinstance(one, str) else one for one in self.models]
        by_name = {model.name: model for model in models}
        if not models or len(by_name) < len(models):
            names = [model.name for model in models]
            raise LabError(f"models: got {names}, want one or more, each with a name of its own")
        return by_name


@dataclass(frozen=True)
class Scraping:
    """How Prometheus scrapes and evaluates; times in seconds.

    Attributes:
        evaluation: Of groups without an interval of their own.
    """

    job: str
    instances: tuple[str, ...]
    labels: Mapping[str, str]
    interval: float
    timeout: float
    evaluation: float
    relabeling: Sequence[Mapping[str, Any]]
    rule_files: tuple[Path, ...]
    external_labels: Mapping[str, str]


def scraping_of(options: LabOptions) -> Scraping:
    """What the options and prometheus.yml say together.

    Raises:
        LabError: A file that cannot be read, a job that it has not, wrong durations.
    """
    config: Mapping[str, Any] = {}
    path = options.folder
    if options.prometheus is not None:
        path = options.path(options.prometheus)
        config = _read(path)
    general = config.get("global") or {}
    job = _job(config.get("scrape_configs") or [], options.job)
    static = (job.get("static_configs") or [{}])[0]
    interval = job.get("scrape_interval", general.get("scrape_interval", "15s"))
    timeout = job.get("scrape_timeout", general.get("scrape_timeout", "10s"))

    def chosen(option: str, given: Duration | None, otherwise: Duration) -> float:
        seconds = seconds_of(option, otherwise if given is None else given)
        if seconds == 0:
            raise LabError(f"{option}: got {given!r}, want more than 0")
        return seconds

    scrape = chosen("scrape_interval", options.scrape_interval, interval)
    return Scraping(
        job=options.job or str(job.get("job_name", "triton")),
        instances=tuple(options.instances or static.get("targets") or ("triton:8002",)),
        labels={**(static.get("labels") or {}), **options.labels},
        interval=scrape,
        timeout=min(chosen("scrape_timeout", options.scrape_timeout, timeout), scrape),
        evaluation=chosen(
            "evaluation_interval",
            options.evaluation_interval,
            general.get("evaluation_interval", "1m"),
        ),
        relabeling=job.get("metric_relabel_configs") or [],
        rule_files=tuple(path.parent / name for name in config.get("rule_files") or []),
        external_labels=general.get("external_labels") or {},
    )


def _read(path: Path) -> Mapping[str, Any]:
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LabError(f"prometheus: got {path} ({error}), want a prometheus.yml") from None
    if not isinstance(config, dict):
        raise LabError(f"prometheus: got {path}, want a prometheus.yml")
    return config


def _job(jobs: Sequence[Mapping[str, Any]], name: str | None) -> Mapping[str, Any]:
    if not jobs:
        return {}
    if name is None:
        return jobs[0]
    for job in jobs:
        if job.get("job_name") == name:
            return job
    names = ", ".join(str(job.get("job_name")) for job in jobs)
    raise LabError(f"job: got {name!r}, want one of prometheus.yml: {names}")
