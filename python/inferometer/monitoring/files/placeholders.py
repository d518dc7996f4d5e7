"""From settings to what stands in the places of the templates, ``@{name}``."""

from __future__ import annotations

import re

from inferometer.monitoring.objectives import Objectives
from inferometer.monitoring.settings import Settings

# The job of the example with several targets.
MULTI_TARGET_JOB = "inference-servers"
_MULTI_TARGETS = ("triton-1:8002", "triton-2:8002", "triton-3:8002")
_BUDGET_DAYS = 30

_PURPOSES = {
    "compose": "in a container, beside the service",
    "local": "a program on this machine",
    "operator": "configured by the Prometheus operator",
}
_METRIC_RELABEL = """\
    # The request duration as a histogram, under the name by which public dashboards and queries
    # look for it. /metrics itself cannot use it: it has a counter nv_inference_request_duration_us.
    metric_relabel_configs:
      - source_labels: [__name__]
        regex: nv_inference_request_latency_us_(bucket|sum|count)
        target_label: __name__
        replacement: nv_inference_request_duration_us_$1
"""
_INSTANCE_RELABEL = """\
    relabel_configs:
      - source_labels: [__address__]
        regex: (.+):\\d+
        target_label: instance
        replacement: $1
"""
_INSTANCE_WITH_PORT = """\
    # Several targets are on one host: without the port their series would be the same.
"""
_MULTI_TARGET_RULES = """\
rule_files:
  - prometheus-alerts.yml
  - recording-rules.yml
"""
_MULTI_TARGET_NO_RULES = """\
# The rules beside this file select another job. Rules and an alertmanager.yml that fit this one:
#   inferometer monitoring init FOLDER --job {job} {targets}
"""
_DOWN_INHIBITION = """\
  # {why}
  - source_matchers: ['alertname = "TritonDown"']
    target_matchers: ['alertname !~ "TritonDown|InferenceAbsent|Watchdog"']
    equal: [{equal}]
"""


def number(value: float) -> str:
    """As PromQL and people read it: 2, 0.05."""
    return f"{value:.12g}"


def percent(ratio: float) -> str:
    """A ratio in percent, without the sign."""
    return number(round(ratio * 100, 10))


def duration(seconds: float) -> str:
    """As Prometheus' configuration writes it: 15s, 250ms."""
    milliseconds = round(seconds * 1000)
    whole, rest = divmod(milliseconds, 1000)
    return f"{milliseconds}ms" if rest else f"{whole}s"


def seconds_text(seconds: float) -> str:
    """As Prometheus' humanizeDuration writes it: 2s, 250ms, 100us."""
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1:
            return f"{number(seconds * factor)}{unit}"
    return f"{number(seconds * 1e9)}ns"


def _objective_values(objectives: Objectives) -> dict[str, str]:
    values = {name: number(getattr(objectives, name)) for name in objectives.ranges()}
    budget = objectives.error_budget
    values |= {
        "error_budget": number(budget),
        "budget_percent": percent(budget),
        "availability_percent": percent(objectives.availability),
        "error_percent": percent(objectives.error_ratio),
        "busy_percent": percent(objectives.busy_ratio),
        "batching_efficiency_percent": percent(objectives.batching_efficiency),
        "gpu_utilization_percent": percent(objectives.gpu_utilization),
        "gpu_memory_percent": percent(objectives.gpu_memory),
        "telemetry_percent": percent(objectives.telemetry_ratio),
    }
    for name in (
        "latency_warning",
        "latency_critical",
        "queue_age",
        "scrape_duration",
        "telemetry_compute",
    ):
        values[f"{name}_text"] = seconds_text(getattr(objectives, name))
    for pace in ("fast", "slow"):
        burn = getattr(objectives, f"{pace}_burn")
        values[f"{pace}_burn_ratio"] = number(burn * budget)
        values[f"{pace}_burn_percent"] = percent(burn * budget)
        values[f"{pace}_burn_gone"] = f"{_BUDGET_DAYS / burn:.3g} days"
    return values


def _quoted(targets: tuple[str, ...]) -> str:
    return ", ".join(f'"{target}"' for target in targets)


def _multi_target_values(settings: Settings) -> dict[str, str]:
    targets = settings.targets if settings.targets is not None else _MULTI_TARGETS
    if len(targets) == 1:  # no example of several
        targets = _MULTI_TARGETS
    job = settings.job
    rules = _MULTI_TARGET_RULES
    if job != MULTI_TARGET_JOB and settings.targets is None:
        job = MULTI_TARGET_JOB
        options = " ".join(f"--target {target}" for target in targets)
        rules = _MULTI_TARGET_NO_RULES.format(job=job, targets=options)
    hosts = {target.rpartition(":")[0] for target in targets}
    return {
        "multi_target_job": job,
        "multi_target_rules": rules,
        "multi_targets": _quoted(targets),
        "multi_environment": settings.environment or "production",
        "instance_relabel_configs": (
            _INSTANCE_RELABEL if len(hosts) == len(targets) else _INSTANCE_WITH_PORT
        ),
    }


def _address_values(settings: Settings) -> dict[str, str]:
    contained = settings.format == "compose"
    here = "127.0.0.1"
    prometheus = "prometheus:9090" if contained else f"{here}:{settings.prometheus_port}"
    webhook = "host.docker.internal" if contained else here
    grafana = settings.grafana_url or f"http://{here}:{settings.grafana_port}"
    job = "var-job={{ $labels.job | urlquery }}"
    model = "var-model={{ $labels.model_name | urlquery }}"
    return {
        "alertmanager_address": (
            "alertmanager:9093" if contained else f"{here}:{settings.alertmanager_port}"
        ),
        "prometheus_url": f"http://{prometheus}",
        "webhook_url": settings.webhook_url or f"http://{webhook}:9099/",
        "triton_dashboard": f"{grafana.rstrip('/')}/d/triton-metrics?{job}",
        "inference_dashboard": f"{grafana.rstrip('/')}/d/inference-metrics?{job}&{model}",
        "dashboards_path": "/etc/grafana/provisioning/dashboards",
    }


def _down_inhibition(settings: Settings) -> str:
    if len(settings.addresses) == 1 and settings.format != "operator":
        return _DOWN_INHIBITION.format(
            why="The job has one target: if it is down, that is what is wrong.", equal="job"
        )
    return _DOWN_INHIBITION.format(
        why="A target that is down says nothing about the others of the job.", equal="job, instance"
    )


def values(settings: Settings) -> dict[str, str]:
    """What stands for each ``@{name}``, but for ``rule_groups``, which other templates make."""
    environment = settings.environment
    label = f'          environment: "{environment}"\n' if environment else ""
    relabel = (
        f'        - targetLabel: environment\n          replacement: "{environment}"\n'
        if environment
        else ""
    )
    ports = ("http", "metrics", "prometheus", "alertmanager", "grafana")
    return {
        **_objective_values(settings.objectives),
        **_multi_target_values(settings),
        **_address_values(settings),
        **{f"{name}_port": str(getattr(settings, f"{name}_port")) for name in ports},
        "format_purpose": _PURPOSES[settings.format],
        "job": settings.job,
        "kubernetes_name": re.sub("[._]", "-", settings.job.lower()),
        "targets": _quoted(settings.addresses),
        "environment_label": label,
        "operator_environment": relabel,
        "metric_relabel_configs": _METRIC_RELABEL,
        "down_inhibition": _down_inhibition(settings),
        "scrape_interval": duration(settings.scrape_interval),
        "scrape_timeout": duration(settings.scrape_timeout),
        "retention": settings.retention,
        "runbook_base": settings.runbook_base.rstrip("/"),
    }
