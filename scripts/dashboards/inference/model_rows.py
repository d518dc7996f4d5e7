"""Rows about models: batches, queues, what they cost, and a table of all of them."""

from __future__ import annotations

from dashboards.colours import GREEN, RED
from dashboards.inference.queries import (
    BY_MODEL,
    MODELS,
    counts,
    efficiency,
    error_ratio,
    labelled,
    mean,
    per,
    quantile,
    rate,
    within_objective,
)
from dashboards.layout import Placed, Row
from dashboards.limits import BATCH_SIZE, OBJECTIVES
from dashboards.panels import About, buckets, lines
from dashboards.tables import Column, by_label
from dashboards.targets import WINDOW, Query

DEPTH = f"sum{BY_MODEL}({labelled('inference_queue_depth')})"
LIMIT = f"sum{BY_MODEL}({labelled('inference_queue_limit')})"


def batching() -> Row:
    """How well requests share executions."""
    size = lines(
        About(
            401,
            "Average batch size",
            "Rows of the mean batch. Good above 2, the line: below it batching hardly pays for "
            "the time that requests wait for company.",
            "none",
            ("LowBatchingEfficiency",),
        ),
        [Query(mean("inference_batch_size", BY_MODEL), "{{model_name}}")],
        limits=((BATCH_SIZE, GREEN),),
    )
    sizes = buckets(
        About(402, "Batch size distribution", "How many batches had how many rows.", "none"),
        Query(counts("inference_batch_size"), "{{le}}"),
    )
    reason = lines(
        About(
            403,
            "Batches by reason",
            "Batches released in a second. full: it was full; preferred: it had a preferred size; "
            "delay: the time to wait for company was over; idle: the model had nothing to do; "
            "shape: the next request did not fit; drain: the engine was drained.",
            "ops",
            ("LowBatchingEfficiency",),
        ),
        [Query(rate("inference_batches_total", " by (reason) "), "{{reason}}")],
        stacked=True,
    )
    return Row(400, "Batching", tuple(Placed(panel, 8) for panel in (size, sizes, reason)))


def queue() -> Row:
    """What waits."""
    depth = lines(
        About(
            501,
            "Requests waiting",
            "Requests that wait for their batch, as each scrape found them.",
            "short",
            ("QueueSaturated", "InferenceStalled"),
        ),
        [Query(DEPTH, "{{model_name}}")],
    )
    fill = lines(
        About(
            502,
            "Queue fill",
            "Share of the queue's places that are taken. A full queue refuses requests.",
            "percentunit",
            ("QueueSaturated",),
        ),
        [Query(f"{DEPTH} / {LIMIT}", "{{model_name}}")],
        limits=((OBJECTIVES.queue_saturation, RED),),
        highest=1,
    )
    oldest = lines(
        About(
            503,
            "Oldest request that waits",
            "Its age when it was scraped; the line is where the alert begins. It grows while a "
            "model is stuck, when no latency is recorded at all.",
            "s",
            ("InferenceStalled",),
        ),
        [Query(f"max{BY_MODEL}({labelled('inference_oldest_request_seconds')})", "{{model_name}}")],
    )
    return Row(500, "Queue", tuple(Placed(panel, 8) for panel in (depth, fill, oldest)))


def cost() -> Row:
    """What the models' time and memory go to."""
    busy = lines(
        About(
            601,
            "Busy instances",
            "Share of the time in which an instance of a model was executing; the mean of all "
            "servers. Near 100 %: more instances, larger batches or fewer requests.",
            "percentunit",
        ),
        [
            Query(
                "avg by (model_name, model_instance) "
                f"(rate(inference_busy_seconds_total{{{MODELS}}}{WINDOW}))",
                "{{model_name}} {{model_instance}}",
            )
        ],
        highest=1,
    )
    wasted = lines(
        About(
            602,
            "Wasted time",
            "Share of the models' time that went to requests whose callers had gone: too late or "
            "cancelled while they ran.",
            "percentunit",
        ),
        [
            Query(
                per(
                    rate("inference_wasted_seconds_total", BY_MODEL),
                    rate("inference_busy_seconds_total", BY_MODEL),
                ),
                "{{model_name}}",
            )
        ],
    )
    padded = lines(
        About(
            603,
            "Padding",
            "Share of the elements in batches that were added to bring requests to one length. "
            "Models without padding are not shown.",
            "percentunit",
        ),
        [
            Query(
                per(
                    rate("inference_padding_elements_total", BY_MODEL),
                    rate("inference_elements_total", BY_MODEL),
                ),
                "{{model_name}}",
            )
        ],
    )
    telemetry = lines(
        About(
            604,
            "Telemetry overhead",
            "Time that recording metrics takes, per time that the model runs. It matters where "
            "batches take more than 100 µs; the line is where the alert begins.",
            "percentunit",
            ("TelemetryOverheadHigh",),
        ),
        [
            Query(
                per(
                    rate("inferometer_telemetry_seconds_total", BY_MODEL),
                    rate("inference_compute_seconds_sum", BY_MODEL),
                ),
                "{{model_name}}",
            )
        ],
        limits=((OBJECTIVES.telemetry_ratio, RED),),
    )
    memory = lines(
        About(
            605,
            "Model memory",
            "Memory held for a model: its weights, room for the activations of its largest batch, "
            "and its queue.",
            "bytes",
        ),
        [
            Query(
                f"sum by (model_name, kind) ({labelled('inferometer_model_memory_bytes')})",
                "{{model_name}} {{kind}}",
            )
        ],
    )
    return Row(
        600,
        "Cost",
        (
            *(Placed(panel, 6) for panel in (busy, wasted, padded, telemetry)),
            Placed(memory, 24),
        ),
    )


def models() -> Row:
    """One line for each model."""
    table = by_label(
        About(
            701,
            "Models",
            "One row for each model; click a heading to sort. Cells without a value: no request "
            "came lately, or the model has no objective.",
            "none",
        ),
        "model_name",
        "Model",
        [
            Column("Requests/s", rate("inference_requests_total", BY_MODEL), "reqps"),
            Column("Errors", error_ratio(BY_MODEL), "percentunit"),
            Column("P95", quantile(0.95, "inference_latency_seconds", "model_name, le"), "s", 3),
            Column("Queue time", mean("inference_queue_seconds", BY_MODEL), "s", 3),
            Column("Compute time", mean("inference_compute_seconds", BY_MODEL), "s", 3),
            Column("Batch size", mean("inference_batch_size", BY_MODEL), "none", 1),
            Column("Batching efficiency", efficiency(BY_MODEL), "percent", 1),
            Column("Waiting", DEPTH, "short", 0),
            Column("Queue limit", LIMIT, "short", 0),
            Column("Within objective", within_objective(BY_MODEL), "percentunit"),
        ],
    )
    return Row(700, "Models", (Placed(table, 24, 9),))
