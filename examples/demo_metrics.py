"""Reads what the demo reports from the text of /metrics."""

from __future__ import annotations

import re
from dataclasses import dataclass

Samples = dict[str, list[tuple[dict[str, str], float]]]
"""Sample name -> its series: (labels, value)."""

_SAMPLE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def parse_metrics(text: str) -> Samples:
    """Parses Prometheus text format 0.0.4."""
    samples: Samples = {}
    for line in text.splitlines():
        match = _SAMPLE.match(line)
        if match:
            labels = dict(_LABEL.findall(match.group(2) or ""))
            samples.setdefault(match.group(1), []).append((labels, float(match.group(3))))
    return samples


def total(samples: Samples, name: str) -> float:
    """Returns the sum over the series of `name`; 0 without one."""
    return sum(value for _, value in samples.get(name, []))


def buckets(samples: Samples, name: str) -> dict[float, float]:
    """Returns upper bound -> cumulative count of the histogram `name`, over all its series."""
    counts: dict[float, float] = {}
    for labels, value in samples.get(f"{name}_bucket", []):
        bound = float(labels["le"])
        counts[bound] = counts.get(bound, 0.0) + value
    return counts


def histogram_quantile(q: float, counts: dict[float, float]) -> float:
    """Returns what PromQL's histogram_quantile does: linear within the bucket. NaN if empty."""
    bounds = sorted(counts)
    if not bounds or counts[bounds[-1]] == 0:
        return float("nan")
    rank = q * counts[bounds[-1]]
    lower, below = 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank:
            if bound == float("inf"):
                return lower
            inside = counts[bound] - below
            return lower + (bound - lower) * ((rank - below) / inside if inside else 1.0)
        lower, below = bound, counts[bound]
    return lower


@dataclass(frozen=True)
class EngineNumbers:
    """What the engine says of a stretch of time; times in seconds."""

    requests: int
    batches: int
    mean_batch_size: float
    latency: dict[str, float]
    queue_mean: float
    compute_mean: float
    compute_total: float
    telemetry_total: float
    telemetry_share: float


def engine_numbers(before: Samples, after: Samples) -> EngineNumbers:
    """Returns the engine's numbers between two readings of /metrics."""

    def grown(name: str) -> float:
        return total(after, name) - total(before, name)

    def mean(name: str) -> float:
        count = grown(f"{name}_count")
        return grown(f"{name}_sum") / count if count else float("nan")

    earlier = buckets(before, "inference_latency_seconds")
    latency = {
        bound: count - earlier.get(bound, 0.0)
        for bound, count in buckets(after, "inference_latency_seconds").items()
    }
    compute = grown("inference_compute_seconds_sum")
    telemetry = grown("inferometer_telemetry_seconds_total")
    return EngineNumbers(
        requests=round(grown("inference_requests_total")),
        batches=round(grown("inference_batch_size_count")),
        mean_batch_size=mean("inference_batch_size"),
        latency={f"p{q}": histogram_quantile(q / 100, latency) for q in (50, 95, 99)},
        queue_mean=mean("inference_queue_seconds"),
        compute_mean=mean("inference_compute_seconds"),
        compute_total=compute,
        telemetry_total=telemetry,
        telemetry_share=telemetry / compute if compute else float("nan"),
    )
