"""What the queries on inferometer's own metrics have in common."""

from __future__ import annotations

from dashboards.targets import SERVERS, WINDOW

MODELS = f'{SERVERS}, model_name=~"$model"'
GPUS = f'{SERVERS}, device_id=~"$gpu"'
BY_MODEL = " by (model_name) "
# As HighErrorRate counts: what callers did themselves is neither an error nor a request.
COUNTED = 'status!~"cancelled|invalid"'
ERRORS = 'status!~"success|cancelled|invalid"'


def labelled(metric: str, more: str = "") -> str:
    """A metric of the chosen models; `more` are further matchers."""
    return f"{metric}{{{MODELS}{', ' + more if more else ''}}}"


def rate(metric: str, by: str = "", more: str = "") -> str:
    """How much a counter grows in a second."""
    return f"sum{by}(rate({labelled(metric, more)}{WINDOW}))"


def per(numerator: str, denominator: str) -> str:
    """A ratio; no value, rather than NaN, while nothing happens."""
    return f"{numerator} / ({denominator} > 0)"


def mean(histogram: str, by: str = "") -> str:
    """The mean of what a histogram counts."""
    return per(rate(f"{histogram}_sum", by), rate(f"{histogram}_count", by))


def quantile(q: float, histogram: str, by: str = "le") -> str:
    """A quantile of what a histogram counts."""
    return f"histogram_quantile({q:g}, {rate(f'{histogram}_bucket', f' by ({by}) ')})"


def counts(histogram: str) -> str:
    """The cells of a heatmap."""
    return f"sum by (le) (increase({labelled(f'{histogram}_bucket')}{WINDOW}))"


def error_ratio(by: str = "") -> str:
    """The share of requests that failed, were refused, came too late or met a closing engine."""
    return per(
        rate("inference_requests_total", by, ERRORS), rate("inference_requests_total", by, COUNTED)
    )


def efficiency(by: str = "") -> str:
    """Batching efficiency in percent: the share of executions that batching saved."""
    batches = rate("inference_batches_total", by)
    return f"(1 - {per(batches, rate('inference_queue_seconds_count', by))}) * 100"


def within_objective(by: str = "") -> str:
    """Of the requests that succeeded, the share that met the objective; where there is one."""
    return per(
        rate("inference_requests_within_objective_total", by),
        rate("inference_requests_total", by, 'status="success"'),
    )
