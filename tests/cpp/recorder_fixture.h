// What the tests of the recorder share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "inferometer/registry.h"
#include "serving/recorder.h"

namespace inferometer {

/// Of a request that waited, ran and ended.
inline Timing timing_of(int64_t queue_ns, int64_t total_ns) {
  Timing timing;
  timing.queue_ns = queue_ns;
  timing.total_ns = total_ns;
  timing.batch_size = 1;
  return timing;
}

/// Of a request that never reached the model.
inline Timing ended_after(int64_t ns) {
  Timing timing;
  timing.total_ns = timing.queue_ns = ns;
  return timing;
}

/// An engine "m" that stands still.
inline LiveReadings some_readings() {
  return {.queue_depth = [] { return 3.0; },
          .in_flight = [] { return 2.0; },
          .oldest_request_seconds = [] { return 0.5; },
          .queue_buffer_bytes = [] { return 64.0; },
          .queue_limit = [] { return 32.0; },
          .weights_bytes = [] { return 1000.0; },
          .activation_bytes = [] { return 200.0; }};
}

inline RecorderOptions options_of(std::string version = "1", size_t instances = 1) {
  RecorderOptions options;
  options.name = "m";
  options.version = std::move(version);
  options.instances = instances;
  return options;
}

/// A registry, and values of the samples of model "m" in it; -1 for one that is absent.
class RecorderFixture : public testing::Test {
 protected:
  std::unique_ptr<Recorder> make(const RecorderOptions& options) {
    return std::make_unique<Recorder>(registry_, options, some_readings(), steady_clock());
  }
  double value(std::string_view name, Registry::LabelSet labels = {}) const {
    labels.emplace("model_name", "m");
    return registry_->sample_value(name, labels).value_or(-1);
  }
  double busy_seconds(size_t instance) const {
    return value("inference_busy_seconds_total", {{"model_instance", std::to_string(instance)}});
  }

  const std::shared_ptr<Registry> registry_ = Registry::create();
};

}  // namespace inferometer
