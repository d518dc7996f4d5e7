"""Rows about requests: how many, what became of them, how long they took."""

from __future__ import annotations

from dashboards.colours import GREEN, ORANGE, RED, YELLOW
from dashboards.layout import Placed, Row
from dashboards.limits import BATCHING_EFFICIENCY, OBJECTIVES, P50_SECONDS, P95_SECONDS
from dashboards.panels import About, buckets, firing_alerts, lines, number
from dashboards.targets import SERVERS, WINDOW, Query
from dashboards.triton.queries import (
    BUCKETS,
    BY_MODEL,
    MODELS,
    efficiency,
    mean_ms,
    quantile_ms,
    rate,
    total,
)

EFFICIENCY_LIMITS = (
    (OBJECTIVES.batching_efficiency * 100, YELLOW),
    (BATCHING_EFFICIENCY * 100, GREEN),
)
LATENCY_LINES_MS = (
    (P50_SECONDS * 1000, YELLOW),
    (P95_SECONDS * 1000, ORANGE),
    (OBJECTIVES.latency_warning * 1000, RED),
)


def overview() -> Row:
    """Whether all is well, in one line."""
    up = number(
        About(
            101,
            "Servers up",
            "Servers that Prometheus could scrape last time. A server that is down keeps its place "
            "in the job and is not counted here.",
            "none",
            ("TritonDown", "InferenceAbsent"),
        ),
        Query(f"sum(up{{{SERVERS}}})", "up"),
        base=RED,
        limits=((1, GREEN),),
        decimals=0,
    )
    answered = number(
        About(
            102,
            "Requests answered",
            "Requests that succeeded since the servers were started.",
            "short",
        ),
        Query(total("nv_inference_request_success"), "answered"),
        graph=False,
    )
    failed = number(
        About(
            103,
            "Requests failed",
            "Requests that failed since the servers were started, for whatever reason: see "
            "Failures by reason.",
            "short",
            ("HighErrorRate",),
        ),
        Query(total("nv_inference_request_failure"), "failed"),
        limits=((1, RED),),
        graph=False,
    )
    executions = number(
        About(
            104,
            "Executions",
            "Batches that were run since the servers were started. Far fewer than requests, if "
            "batching works.",
            "short",
        ),
        Query(total("nv_inference_exec_count"), "executions"),
        graph=False,
    )
    saved = number(
        About(
            105,
            "Batching efficiency",
            "(1 - executions / requests that succeeded) x 100, at present: 0 % when each request "
            "runs alone, 75 % when four share a batch. Batches that fail are executions without "
            "requests that succeed: they bring it down, below 0 % even.",
            "percent",
            ("LowBatchingEfficiency",),
        ),
        Query(efficiency(), "efficiency"),
        base=RED,
        limits=EFFICIENCY_LIMITS,
        decimals=1,
    )
    alerts = firing_alerts(
        About(
            106,
            "Alerts",
            "Alerts that are pending or firing, newest first. Watchdog, which always fires, is "
            "left out.",
            "none",
        )
    )
    return Row(
        100,
        "Overview",
        (
            *(Placed(panel, 3, 6) for panel in (up, answered, failed, executions)),
            Placed(saved, 4, 6),
            Placed(alerts, 8, 6),
        ),
    )


def traffic() -> Row:
    """How many requests, and what becomes of them."""
    outcome = lines(
        About(
            201,
            "Request rate by outcome",
            "Requests that ended in a second: answered in green, failed in red.",
            "reqps",
            ("HighErrorRate", "InferenceStalled"),
        ),
        [
            Query(rate("nv_inference_request_success"), "success"),
            Query(rate("nv_inference_request_failure"), "failure"),
        ],
        colours={"success": GREEN, "failure": RED},
    )
    model = lines(
        About(202, "Request rate by model", "Requests that succeeded in a second.", "reqps"),
        [Query(rate("nv_inference_request_success", BY_MODEL), "{{model}}")],
    )
    reason = lines(
        About(
            203,
            "Failures by reason",
            "Requests that failed in a second. BACKEND: the model raised. REJECTED: refused at the "
            "door, or too late. CANCELED: by the caller. OTHER: the server was shut down.",
            "reqps",
            ("HighErrorRate",),
        ),
        [Query(rate("nv_inference_request_failure", " by (reason) "), "{{reason}}")],
    )
    return Row(200, "Traffic", (Placed(outcome, 8), Placed(model, 8), Placed(reason, 8)))


def latency() -> Row:
    """How long requests take, and where."""
    quantiles = lines(
        About(
            301,
            "Latency P50, P95, P99",
            "From submission to answer, over all requests that were accepted. The lines: P50 "
            "should stay below 100 ms, P95 below 500 ms; a P95 above 2,000 ms raises an alert. "
            "Empty unless the scrape configuration renames nv_inference_request_latency_us.",
            "ms",
            ("HighInferenceLatencyWarning", "HighInferenceLatency"),
        ),
        [Query(quantile_ms(q), f"P{q * 100:g}") for q in (0.5, 0.95, 0.99)],
        limits=LATENCY_LINES_MS,
    )
    distribution = buckets(
        About(
            302,
            "Latency distribution",
            "How many requests took how long. Two bands are two kinds of requests, which no "
            "quantile shows.",
            "µs",
        ),
        Query(f"sum by (le) (increase({BUCKETS}{{{MODELS}}}{WINDOW}))", "{{le}}"),
    )
    parts = lines(
        About(
            303,
            "Where the time goes",
            "The mean request: waiting for its batch, gathering inputs, the model, copying "
            "outputs. More than half of it in the queue: more instances, or a shorter delay.",
            "ms",
        ),
        [
            Query(mean_ms(f"nv_inference_{metric}_duration_us"), legend)
            for metric, legend in (
                ("queue", "queue"),
                ("compute_input", "input"),
                ("compute_infer", "model"),
                ("compute_output", "output"),
            )
        ],
        stacked=True,
    )
    return Row(
        300,
        "Latency",
        (Placed(quantiles, 8, 10), Placed(distribution, 8, 10), Placed(parts, 8, 10)),
    )
