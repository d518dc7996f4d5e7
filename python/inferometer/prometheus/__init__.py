"""prometheus_client's names and behaviour, with native cells underneath.

    from inferometer.prometheus import Counter, Histogram, generate_latest

A program changes that one line. ``REGISTRY`` also shows what ``im.default_registry()`` shows. What
differs is listed in docs/prometheus_drop_in.md.
"""

from __future__ import annotations

from inferometer.prometheus import core
from inferometer.prometheus.exposition import (
    CONTENT_TYPE_LATEST,
    CONTENT_TYPE_PLAIN_0_0_4,
    CONTENT_TYPE_PLAIN_1_0_0,
    MetricsHandler,
    delete_from_gateway,
    generate_latest,
    instance_ip_grouping_key,
    make_asgi_app,
    make_wsgi_app,
    push_to_gateway,
    pushadd_to_gateway,
    start_http_server,
    start_wsgi_server,
    write_to_textfile,
)
from inferometer.prometheus.gc_collector import GC_COLLECTOR, GCCollector
from inferometer.prometheus.metric import Metric
from inferometer.prometheus.metrics import (
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
    disable_created_metrics,
    enable_created_metrics,
)
from inferometer.prometheus.platform_collector import PLATFORM_COLLECTOR, PlatformCollector
from inferometer.prometheus.process_collector import PROCESS_COLLECTOR, ProcessCollector
from inferometer.prometheus.registry import REGISTRY, CollectorRegistry

__all__ = [
    "CONTENT_TYPE_LATEST",
    "CONTENT_TYPE_PLAIN_0_0_4",
    "CONTENT_TYPE_PLAIN_1_0_0",
    "GC_COLLECTOR",
    "PLATFORM_COLLECTOR",
    "PROCESS_COLLECTOR",
    "REGISTRY",
    "CollectorRegistry",
    "Counter",
    "Enum",
    "GCCollector",
    "Gauge",
    "Histogram",
    "Info",
    "Metric",
    "MetricsHandler",
    "PlatformCollector",
    "ProcessCollector",
    "Summary",
    "core",
    "delete_from_gateway",
    "disable_created_metrics",
    "enable_created_metrics",
    "generate_latest",
    "instance_ip_grouping_key",
    "make_asgi_app",
    "make_wsgi_app",
    "push_to_gateway",
    "pushadd_to_gateway",
    "start_http_server",
    "start_wsgi_server",
    "write_to_textfile",
]
