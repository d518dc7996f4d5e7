"""The dashboard on inferometer's own metrics, `inference_*` and `inferometer_*`."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import Choice, framed
from dashboards.inference.machine_rows import gpus, metrics, process
from dashboards.inference.model_rows import batching, cost, models, queue
from dashboards.inference.request_rows import latency, overview, traffic
from dashboards.targets import SERVERS

CHOICES = (
    Choice("job", "Job", "label_values(inference_queue_limit, job)"),
    Choice("instance", "Instance", 'label_values(inference_queue_limit{job=~"$job"}, instance)'),
    Choice("model", "Model", f"label_values(inference_queue_limit{{{SERVERS}}}, model_name)"),
    Choice("gpu", "GPU", f"label_values(gpu_utilization_ratio{{{SERVERS}}}, device_id)"),
)


def inference_dashboard() -> Dashboard:
    """The whole dashboard."""
    return framed(
        "inference-metrics",
        "Inference Metrics",
        "Requests by outcome, latency, batching, queues, cost and health of inferometer's engines. "
        "Every panel says in its description what it shows; docs/dashboards.md explains the "
        "queries.",
        CHOICES,
        [
            overview(),
            traffic(),
            latency(),
            batching(),
            queue(),
            cost(),
            models(),
            gpus(),
            process(),
            metrics(),
        ],
    )
