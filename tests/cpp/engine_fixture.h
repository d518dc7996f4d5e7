// What the tests of an engine share: a registry to look into and a way to make engines.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_models.h"
#include "hour.h"
#include "inferometer/completion_queue.h"
#include "inferometer/engine.h"
#include "inferometer/registry.h"

namespace inferometer {

/// Timeouts for what certainly passes, and for what certainly does not while a test runs.
inline constexpr int64_t kSoonNs = 1'000'000;
inline constexpr int64_t kLongNs = 600 * kNanosPerSecond;

inline SubmitOptions with_timeout(int64_t timeout_ns) {
  SubmitOptions options;
  options.timeout_ns = timeout_ns;
  return options;
}

inline Batching batching_of(int64_t max_batch_size, int64_t delay_ns = 0) {
  Batching batching;
  batching.max_batch_size = max_batch_size;
  batching.max_queue_delay_ns = delay_ns;
  return batching;
}

/// The end of a loop's turn; nothing is run on this thread.
inline void flush(Engine& engine) {
  const CompletionQueue loop;
  std::vector<std::shared_ptr<Request>> ended;
  (void)engine.flush(loop, ended, 0);
}

/// One engine named "m" (make()) and its metrics.
class EngineFixture : public testing::Test {
 protected:
  static EngineOptions options_of(std::shared_ptr<Registry> registry, const Batching& batching = {},
                                  std::string version = "1") {
    EngineOptions options;
    options.name = "m";
    options.version = std::move(version);
    options.batching = batching;
    options.registry = std::move(registry);
    return options;
  }
  std::unique_ptr<Engine> make(std::shared_ptr<Executable> model, const Batching& batching = {}) {
    return std::make_unique<Engine>(std::move(model), options_of(registry_, batching));
  }

  /// A sample of the engine's, -1 if it is not exposed.
  double value(std::string_view name, Registry::LabelSet labels = {}) const {
    labels.emplace("model_name", "m");
    return registry_->sample_value(name, labels).value_or(-1);
  }
  double ended(std::string_view status) const {
    return value("inference_requests_total", {{"status", std::string(status)}});
  }
  double batches(std::string_view reason) const {
    return value("inference_batches_total", {{"reason", std::string(reason)}});
  }
  double all_batches() const { return value("inference_compute_seconds_count"); }

  const std::shared_ptr<Registry> registry_ = Registry::create();
};

}  // namespace inferometer
