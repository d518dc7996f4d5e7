"""What the queries on Triton's metrics have in common."""

from __future__ import annotations

from dashboards.targets import SERVERS, WINDOW

MODELS = f'{SERVERS}, model=~"$model"'
GPUS = f'{SERVERS}, gpu_uuid=~"$gpu"'
# nv_inference_request_latency_us, as the scrape configuration renames it.
BUCKETS = "nv_inference_request_duration_us_bucket"
BY_MODEL = " by (model) "


def total(metric: str, by: str = "") -> str:
    """The sum of a metric's values."""
    return f"sum{by}({metric}{{{MODELS}}})"


def rate(metric: str, by: str = "") -> str:
    """How much a counter grows in a second."""
    return f"sum{by}(rate({metric}{{{MODELS}}}{WINDOW}))"


def per(numerator: str, denominator: str) -> str:
    """A ratio; no value, rather than NaN, while nothing happens."""
    return f"{numerator} / ({denominator} > 0)"


def mean_ms(metric: str, by: str = "") -> str:
    """The mean of a duration in milliseconds, over the requests that succeeded."""
    return per(rate(metric, by), rate("nv_inference_request_success", by)) + " / 1000"


def quantile_ms(q: float, by: str = "le") -> str:
    """A quantile of the request duration in milliseconds."""
    return f"histogram_quantile({q:g}, {rate(BUCKETS, f' by ({by}) ')}) / 1000"


def efficiency(by: str = "") -> str:
    """Batching efficiency in percent: the share of executions that batching saved."""
    executions = rate("nv_inference_exec_count", by)
    return f"(1 - {per(executions, rate('nv_inference_request_success', by))}) * 100"
