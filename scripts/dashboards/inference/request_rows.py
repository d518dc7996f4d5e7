"""Rows about requests: how many, what became of them, how long they took."""

from __future__ import annotations

from dashboards.colours import GREEN, ORANGE, RED, YELLOW
from dashboards.inference.queries import (
    BY_MODEL,
    counts,
    efficiency,
    error_ratio,
    labelled,
    mean,
    quantile,
    rate,
    within_objective,
)
from dashboards.layout import Placed, Row
from dashboards.limits import BATCHING_EFFICIENCY, OBJECTIVES, P50_SECONDS, P95_SECONDS
from dashboards.panels import About, buckets, firing_alerts, lines, number
from dashboards.targets import Query

LATENCY_LINES = (
    (P50_SECONDS, YELLOW),
    (P95_SECONDS, ORANGE),
    (OBJECTIVES.latency_warning, RED),
)
STATUS_COLOURS = {
    "success": GREEN,
    "failure": RED,
    "rejected": ORANGE,
    "timeout": YELLOW,
    "cancelled": "blue",
    "shutdown": "purple",
    "invalid": "#808080",
}


def overview() -> Row:
    """Whether all is well, in one line."""
    requests = number(
        About(101, "Requests", "Requests that end in a second, whatever their outcome.", "reqps"),
        Query(rate("inference_requests_total"), "requests"),
        decimals=1,
    )
    errors = number(
        About(
            102,
            "Errors",
            "Share of requests that failed, were refused, came too late or met a closing engine. "
            "Cancelled and invalid requests are their callers' doing and are left out altogether.",
            "percentunit",
            ("HighErrorRate", "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
        ),
        Query(error_ratio(), "errors"),
        limits=((OBJECTIVES.error_ratio, RED),),
        decimals=2,
    )
    p95 = number(
        About(
            103,
            "P95 latency",
            "19 of 20 requests are answered faster.",
            "s",
            ("HighInferenceLatencyWarning", "HighInferenceLatency"),
        ),
        Query(quantile(0.95, "inference_latency_seconds"), "P95"),
        limits=((P95_SECONDS, YELLOW), (OBJECTIVES.latency_warning, RED)),
    )
    saved = number(
        About(
            104,
            "Batching efficiency",
            "(1 - batches / requests in them) x 100: 0 % when each request runs alone, 75 % when "
            "four share a batch.",
            "percent",
            ("LowBatchingEfficiency",),
        ),
        Query(efficiency(), "efficiency"),
        base=RED,
        limits=(
            (OBJECTIVES.batching_efficiency * 100, YELLOW),
            (BATCHING_EFFICIENCY * 100, GREEN),
        ),
        decimals=1,
    )
    in_flight = number(
        About(105, "Executing", "Requests that models work on, as the scrape found them.", "short"),
        Query(f"sum({labelled('inference_in_flight')})", "executing"),
        decimals=0,
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
            *(Placed(panel, 3, 6) for panel in (requests, errors, p95, in_flight)),
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
            "Requests that end in a second. failure: the model raised; rejected: the queue was "
            "full; timeout: the deadline passed; cancelled: by the caller; shutdown: the engine "
            "was closed; invalid: wrong shape, type or name.",
            "reqps",
            ("HighErrorRate", "InferenceStalled"),
        ),
        [Query(rate("inference_requests_total", " by (status) "), "{{status}}")],
        colours=STATUS_COLOURS,
    )
    model = lines(
        About(202, "Request rate by model", "Requests that end in a second.", "reqps"),
        [Query(rate("inference_requests_total", BY_MODEL), "{{model_name}}")],
    )
    errors = lines(
        About(
            203,
            "Error ratio by model",
            "Share of a model's requests that failed, were refused, came too late or met a closing "
            "engine. The line is where the alert begins.",
            "percentunit",
            ("HighErrorRate", "ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
        ),
        [Query(error_ratio(BY_MODEL), "{{model_name}}")],
        limits=((OBJECTIVES.error_ratio, RED),),
    )
    return Row(200, "Traffic", (Placed(outcome, 8), Placed(model, 8), Placed(errors, 8)))


def latency() -> Row:
    """How long requests take."""
    quantiles = lines(
        About(
            301,
            "Latency P50, P95, P99",
            "From submission to completion, over all requests that were accepted, whatever their "
            "outcome. The lines: P50 should stay below 100 ms, P95 below 500 ms; a P95 above 2 s "
            "raises an alert.",
            "s",
            ("HighInferenceLatencyWarning", "HighInferenceLatency"),
        ),
        [
            Query(quantile(q, "inference_latency_seconds"), f"P{q * 100:g}")
            for q in (0.5, 0.95, 0.99)
        ],
        limits=LATENCY_LINES,
    )
    distribution = buckets(
        About(
            302,
            "Latency distribution",
            "How many requests took how long. Two bands are two kinds of requests, which no "
            "quantile shows.",
            "s",
        ),
        Query(counts("inference_latency_seconds"), "{{le}}"),
    )
    by_model = lines(
        About(
            303,
            "P95 latency by model",
            "19 of 20 requests to the model are answered faster. The line is where the alert "
            "begins.",
            "s",
            ("HighInferenceLatencyWarning", "HighInferenceLatency"),
        ),
        [Query(quantile(0.95, "inference_latency_seconds", "model_name, le"), "{{model_name}}")],
        limits=((OBJECTIVES.latency_warning, RED),),
    )
    queue = lines(
        About(
            304,
            "Queue time by model",
            "How long the mean request waits for its batch to start.",
            "s",
            ("RequestQueueBacklog", "QueueSaturated"),
        ),
        [Query(mean("inference_queue_seconds", BY_MODEL), "{{model_name}}")],
    )
    compute = lines(
        About(305, "Compute time by model", "How long the model runs on the mean batch.", "s"),
        [Query(mean("inference_compute_seconds", BY_MODEL), "{{model_name}}")],
    )
    objective = lines(
        About(
            306,
            "Within the objective",
            "Of the requests that succeeded, the share that met the model's latency objective. "
            "Models without an objective are not shown.",
            "percentunit",
            ("ErrorBudgetBurnFast", "ErrorBudgetBurnSlow"),
        ),
        [Query(within_objective(BY_MODEL), "{{model_name}}")],
        highest=1,
    )
    return Row(
        300,
        "Latency",
        (
            *(Placed(panel, 8, 10) for panel in (quantiles, distribution, by_model)),
            *(Placed(panel, 8) for panel in (queue, compute, objective)),
        ),
    )
