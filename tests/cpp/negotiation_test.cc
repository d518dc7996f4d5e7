#include "telemetry/write/negotiation.h"

#include <gtest/gtest.h>

#include <string>

namespace inferometer {
namespace {

constexpr const char* kText004 = "text/plain; version=0.0.4; charset=utf-8";

TEST(NegotiationTest, TheFormatThatTheHeaderLikesBest) {
  struct Case {
    const char* accept;
    const char* content_type;
  };
  constexpr const char* kProtobuf =
      "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
      "encoding=delimited; escaping=";
  const std::string underscores = std::string(kProtobuf) + "underscores";
  const std::string utf8 = std::string(kProtobuf) + "allow-utf-8";
  for (const Case& one : {
           Case{"", kText004},
           Case{"*/*", kText004},
           Case{"text/*", kText004},
           Case{"text/plain", kText004},
           Case{"text/html", kText004},
           Case{"image/png;q=0.1", kText004},
           Case{"text/plain;version=0.0.4", kText004},
           Case{"text/plain;version=9", kText004},
           Case{"TEXT/PLAIN;VERSION=1.0.0",
                "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"},
           Case{"text/plain;version=1.0.0;escaping=values",
                "text/plain; version=1.0.0; charset=utf-8; escaping=values"},
           Case{"text/plain;version=1.0.0;escaping=nonsense",
                "text/plain; version=1.0.0; charset=utf-8; escaping=underscores"},
           Case{"application/openmetrics-text",
                "application/openmetrics-text; version=0.0.1; charset=utf-8"},
           Case{"application/openmetrics-text; version=1.0.0; escaping=allow-utf-8",
                "application/openmetrics-text; version=1.0.0; charset=utf-8; "
                "escaping=allow-utf-8"},
           Case{"application/openmetrics-text;version=2.0.0,*/*;q=0.1", kText004},
           Case{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                "encoding=delimited",
                underscores.c_str()},
           Case{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                "encoding=text",
                kText004},
           Case{"application/vnd.google.protobuf;encoding=delimited", kText004},
           // What Prometheus 3 sends, with native histograms and without.
           Case{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                "encoding=delimited;escaping=allow-utf-8;q=0.6,application/openmetrics-text;"
                "version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;"
                "version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
                "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                utf8.c_str()},
           // q-values decide, not the order.
           Case{"text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.75",
                "application/openmetrics-text; version=1.0.0; charset=utf-8; "
                "escaping=underscores"},
           Case{"application/openmetrics-text;version=1.0.0;q=0,text/plain;q=0.1", kText004},
       }) {
    EXPECT_EQ(negotiate(one.accept).content_type, one.content_type) << one.accept;
  }
  EXPECT_EQ(negotiate("application/*").format, Format::kOpenMetrics100);
  EXPECT_EQ(negotiate("application/openmetrics-text;q=0,*/*;q=0").format, Format::kText004);
}

TEST(NegotiationTest, GzipOnlyWhenItIsNamed) {
  for (const char* yes : {"gzip", "GZIP", "x-gzip", "deflate, gzip;q=0.1", "br;q=1.0, gzip"}) {
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  }
  for (const char* no : {"", "*", "identity", "gzip;q=0", "gzip;q=0.0, identity", "gzipped"}) {
    EXPECT_FALSE(accepts_gzip(no)) << no;
  }
}

}  // namespace
}  // namespace inferometer
