"""A worked example of the delimited protobuf format, written down byte by byte."""

from __future__ import annotations

# One family, encoded by hand: a native histogram of schema 3 with 14 observations.
NATIVE_HISTOGRAM = bytes.fromhex(
    "6c 0a0b 6c61745f7365636f6e6473"  # length 108; name "lat_seconds"
    "1208 4c6174656e63792e"  # help "Latency."
    "1804"  # type HISTOGRAM
    "2248 0a06 0a016d 120178"  # metric with the label m="x"
    "3a3e 080e 11 0000000000002940"  # histogram: count 14, sum 12.5
    "2806 31 000000000000f037 3800"  # schema 3, zero threshold 2^-128, zero count 0
    "6204 0803 1002 6204 0804 1001 6204 0802 1002"  # three spans
    "6806 6804 6807 6804 6801"  # deltas
    "7a08 0880e2cfaa06 1000"  # start timestamp
    "2a07 7365636f6e6473"  # unit "seconds"
)
