"""The public schema of Prometheus' protobuf format, restated as a table for the tests.

Field numbers, types and names are those of ``io.prometheus.client`` (``metrics.proto``), which
Prometheus asks for in its ``Accept`` header. Built here without a compiler; proto2, so that what is
absent and what is zero can be told apart.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

_PACKAGE = "io.prometheus.client"
_TIMESTAMP = "google.protobuf.Timestamp"

METRIC_TYPES = ("COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM")

# "number name type" of each field: [] is repeated, a capital letter begins a message or an enum.
_MESSAGES = {
    "LabelPair": ("1 name string", "2 value string"),
    "Gauge": ("1 value double",),
    "Counter": ("1 value double", "2 exemplar Exemplar", "3 start_timestamp Timestamp"),
    "Quantile": ("1 quantile double", "2 value double"),
    "Summary": (
        "1 sample_count uint64",
        "2 sample_sum double",
        "3 quantile Quantile[]",
        "4 start_timestamp Timestamp",
    ),
    "Untyped": ("1 value double",),
    "Histogram": (
        "1 sample_count uint64",
        "2 sample_sum double",
        "3 bucket Bucket[]",
        "4 sample_count_float double",
        "5 schema sint32",
        "6 zero_threshold double",
        "7 zero_count uint64",
        "8 zero_count_float double",
        "9 negative_span BucketSpan[]",
        "10 negative_delta sint64[]",
        "11 negative_count double[]",
        "12 positive_span BucketSpan[]",
        "13 positive_delta sint64[]",
        "14 positive_count double[]",
        "15 start_timestamp Timestamp",
        "16 exemplars Exemplar[]",
    ),
    "Bucket": (
        "1 cumulative_count uint64",
        "2 upper_bound double",
        "3 exemplar Exemplar",
        "4 cumulative_count_float double",
    ),
    "BucketSpan": ("1 offset sint32", "2 length uint32"),
    "Exemplar": ("1 label LabelPair[]", "2 value double", "3 timestamp Timestamp"),
    "Metric": (
        "1 label LabelPair[]",
        "2 gauge Gauge",
        "3 counter Counter",
        "4 summary Summary",
        "5 untyped Untyped",
        "6 timestamp_ms int64",
        "7 histogram Histogram",
    ),
    "MetricFamily": (
        "1 name string",
        "2 help string",
        "3 type MetricType",
        "4 metric Metric[]",
        "5 unit string",
    ),
}


def _type_name(kind: str) -> str:
    return f".{_TIMESTAMP}" if kind == "Timestamp" else f".{_PACKAGE}.{kind}"


def _file() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="metrics.proto",
        package=_PACKAGE,
        syntax="proto2",
        dependency=[timestamp_pb2.DESCRIPTOR.name],
    )
    metric_type = file.enum_type.add(name="MetricType")
    for number, name in enumerate(METRIC_TYPES):
        metric_type.value.add(name=name, number=number)
    for message, fields in _MESSAGES.items():
        descriptor = file.message_type.add(name=message)
        for field in fields:
            number_text, name, kind = field.split()
            repeated = kind.endswith("[]")
            kind = kind.removesuffix("[]")
            added = descriptor.field.add(name=name, number=int(number_text))
            added.label = added.LABEL_REPEATED if repeated else added.LABEL_OPTIONAL
            if kind[0].islower():
                added.type = getattr(added, f"TYPE_{kind.upper()}")
            else:
                added.type = added.TYPE_ENUM if kind == "MetricType" else added.TYPE_MESSAGE
                added.type_name = _type_name(kind)
    return file


def _metric_family() -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(_file().SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.MetricFamily"))


MetricFamily = _metric_family()
