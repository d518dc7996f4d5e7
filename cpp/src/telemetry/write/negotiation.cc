#include "telemetry/write/negotiation.h"

#include <algorithm>
#include <array>
#include <optional>

#include "telemetry/write/quality_list.h"

namespace inferometer {
namespace {

std::string_view base_content_type(Format format) noexcept {
  switch (format) {
    case Format::kText004:
      return "text/plain; version=0.0.4; charset=utf-8";
    case Format::kText100:
      return "text/plain; version=1.0.0; charset=utf-8";
    case Format::kOpenMetrics001:
      return "application/openmetrics-text; version=0.0.1; charset=utf-8";
    case Format::kOpenMetrics100:
      return "application/openmetrics-text; version=1.0.0; charset=utf-8";
    case Format::kProtobuf:
      break;
  }
  return "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; "
         "encoding=delimited";
}

// The format that this alternative names, if we have it.
std::optional<Format> format_of(const Alternative& alternative) noexcept {
  const std::string_view version = alternative.parameter("version");
  if (alternative.is("application/vnd.google.protobuf")) {
    const bool ours = alternative.parameter("proto") == "io.prometheus.client.MetricFamily" &&
                      alternative.parameter("encoding") == "delimited";
    return ours ? std::optional(Format::kProtobuf) : std::nullopt;
  }
  if (alternative.is("application/openmetrics-text")) {
    if (version == "1.0.0") return Format::kOpenMetrics100;
    if (version.empty() || version == "0.0.1") return Format::kOpenMetrics001;
    return std::nullopt;
  }
  if (alternative.is("application/*")) return Format::kOpenMetrics100;
  if (alternative.is("text/plain")) {
    if (version == "1.0.0") return Format::kText100;
    if (version.empty() || version == "0.0.4") return Format::kText004;
    return std::nullopt;
  }
  if (alternative.is("text/*") || alternative.is("*/*")) return Format::kText004;
  return std::nullopt;
}

// What the scraper wants done to names that are not [a-zA-Z_:][a-zA-Z0-9_:]*.
std::string_view escaping_of(const Alternative& alternative) noexcept {
  constexpr std::array<std::string_view, 4> kKnown = {"allow-utf-8", "underscores", "dots",
                                                      "values"};
  const auto* const found = std::ranges::find(kKnown, alternative.parameter("escaping"));
  return found != kKnown.end() ? *found : "underscores";
}

}  // namespace

Negotiated negotiate(std::string_view accept) {
  for (const Alternative& alternative : parse_quality_list(accept)) {
    if (alternative.quality <= 0) break;  // so are all that follow
    const std::optional<Format> format = format_of(alternative);
    if (!format) continue;
    Negotiated result{*format, std::string(base_content_type(*format))};
    if (*format != Format::kText004 && *format != Format::kOpenMetrics001) {
      result.content_type.append("; escaping=").append(escaping_of(alternative));
    }
    return result;
  }
  return {Format::kText004, std::string(base_content_type(Format::kText004))};
}

bool accepts_gzip(std::string_view accept_encoding) {
  return std::ranges::any_of(parse_quality_list(accept_encoding), [](const Alternative& one) {
    return one.quality > 0 && (one.is("gzip") || one.is("x-gzip"));
  });
}

}  // namespace inferometer
