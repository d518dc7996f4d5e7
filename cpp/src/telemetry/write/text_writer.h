// The Prometheus text format 0.0.4.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "telemetry/write/sink.h"

namespace inferometer {

/// Collects the exposition in one string. Single-owner.
class TextWriter final : public Sink {
 public:
  /// Makes room for `expected_bytes` at once.
  explicit TextWriter(size_t expected_bytes = 0) { (void)reserve(expected_bytes); }

  void family(const FamilyView& family) override;
  void scalar(const LabelsView& labels, const Number& value, int64_t timestamp_ms) override;
  void histogram(const LabelsView& labels, const HistogramView& histogram,
                 int64_t timestamp_ms) override;
  void summary(const LabelsView& labels, const SummaryView& summary, int64_t timestamp_ms) override;

  [[nodiscard]] std::string text() &&;

 private:
  // A label of the sample alone: `le` or `quantile`; none if the name is empty.
  struct Extra {
    std::string_view name;
    std::string_view value;
  };

  // One line; `suffix` follows the family's name.
  void sample(std::string_view suffix, const LabelsView& labels, Extra extra, const Number& value,
              int64_t timestamp_ms);
  // Room for so many bytes at the end of what is written.
  [[nodiscard]] char* reserve(size_t bytes);

  std::string text_;  // written up to size_, the rest is room
  size_t size_ = 0;
  std::string name_;
};

}  // namespace inferometer
