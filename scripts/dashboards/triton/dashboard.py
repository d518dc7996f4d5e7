"""The dashboard on Triton's metrics, `nv_*`: as good for a Triton server as for inferometer."""

from __future__ import annotations

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.frame import Choice, framed
from dashboards.targets import SERVERS
from dashboards.triton.machine_rows import gpus, machine
from dashboards.triton.model_rows import batching, models
from dashboards.triton.request_rows import latency, overview, traffic

CHOICES = (
    Choice("job", "Job", "label_values(nv_inference_exec_count, job)"),
    Choice("instance", "Instance", 'label_values(nv_inference_exec_count{job=~"$job"}, instance)'),
    Choice("model", "Model", f"label_values(nv_inference_exec_count{{{SERVERS}}}, model)"),
    Choice("gpu", "GPU", f"label_values(nv_gpu_utilization{{{SERVERS}}}, gpu_uuid)"),
)


def triton_dashboard() -> Dashboard:
    """The whole dashboard."""
    return framed(
        "triton-metrics",
        "Triton Inference Server Metrics",
        "Requests, latency, batching and GPUs of servers with Triton's metrics. Every panel says "
        "in its description what it shows; docs/dashboards.md explains the queries.",
        CHOICES,
        [overview(), traffic(), latency(), batching(), models(), gpus(), machine()],
    )
