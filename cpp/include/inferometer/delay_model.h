// A model with a programmable cost, for tests, benches, alert drills and demos.
#pragma once

#include <cstdint>
#include <vector>

#include "inferometer/executable.h"

namespace inferometer {

/// Takes `seconds + seconds_per_row * rows` of wall time for a batch and answers each row with a
/// copy of it, so that an answer tells whose it is; a request that carries an object gets that
/// object back. It sleeps meanwhile, but for the last 0.1 ms at most: batches of several instances
/// pass at the same time, whatever the number of cores. Like a model that computes it cannot be
/// interrupted. Const-safe, run() included.
class DelayModel final : public Executable {
 public:
  /// Without `inputs` the first request fixes them. Throws ConfigError for times that are negative
  /// or not finite, and for specs that do not begin with rows.
  explicit DelayModel(double seconds, double seconds_per_row = 0,
                      std::vector<TensorSpec> inputs = {});

  [[nodiscard]] double seconds() const noexcept { return seconds_; }
  [[nodiscard]] double seconds_per_row() const noexcept { return seconds_per_row_; }
  /// What a batch of `rows` rows takes.
  [[nodiscard]] int64_t cost_ns(int64_t rows) const noexcept;

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return inputs_; }
  /// The inputs again.
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override { return inputs_; }
  [[nodiscard]] int64_t max_rows() const noexcept override;
  void run(Batch& batch) override;

 private:
  const double seconds_;
  const double seconds_per_row_;
  const std::vector<TensorSpec> inputs_;
};

}  // namespace inferometer
