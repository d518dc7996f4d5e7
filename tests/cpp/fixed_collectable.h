// A collector of prometheus-cpp's kind that always answers the same.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <utility>
#include <vector>

namespace inferometer {

/// Const-safe.
class FixedCollectable final : public prometheus::Collectable {
 public:
  explicit FixedCollectable(std::vector<prometheus::MetricFamily> families)
      : families_(std::move(families)) {}
  [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override { return families_; }

 private:
  const std::vector<prometheus::MetricFamily> families_;
};

}  // namespace inferometer
