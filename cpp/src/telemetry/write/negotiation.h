// Which format a scraper gets.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace inferometer {

enum class Format : uint8_t {
  kText004,
  kText100,
  kOpenMetrics001,
  kOpenMetrics100,
  kProtobuf,  ///< Delimited io.prometheus.client.MetricFamily.
};

struct Negotiated {
  Format format = Format::kText004;
  std::string content_type;
};

/// The format that an `Accept` header likes best; text 0.0.4, which every scraper takes, where it
/// is empty, asks for nothing that exists, or makes no sense. `escaping=` is answered where the
/// format has it. Our names need no escaping, so it changes nothing else.
[[nodiscard]] Negotiated negotiate(std::string_view accept);
/// Whether an `Accept-Encoding` header asks for gzip. `*` alone does not: a client that can do no
/// more than identity may send it.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

}  // namespace inferometer
