// A model with injected faults.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "inferometer/executable.h"
#include "inferometer/faults.h"

namespace inferometer {

/// Another executable, and what its batches meet of `faults` on the way: first they are held, then
/// they fail, or else the model runs and single requests fail. Failures are InjectedFaultErrors.
/// For one engine; without faults in effect a run costs one atomic load more. run() is as
/// thread-safe as the model's, the rest is thread-safe.
class FaultyModel : public Executable {
 public:
  /// Throws ConfigError if one of them is null.
  FaultyModel(std::shared_ptr<Executable> model, std::shared_ptr<Faults> faults);

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override {
    return model_->inputs();
  }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override {
    return model_->outputs();
  }
  [[nodiscard]] int64_t max_rows() const noexcept override { return model_->max_rows(); }
  [[nodiscard]] int64_t weights_bytes() const noexcept override { return model_->weights_bytes(); }
  [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept override {
    return model_->activation_bytes(rows);
  }
  [[nodiscard]] const void* weights() const noexcept override { return model_->weights(); }
  [[nodiscard]] bool healthy() const noexcept override { return model_->healthy(); }
  [[nodiscard]] int64_t load_ns() const noexcept override { return model_->load_ns(); }
  [[nodiscard]] bool keeps_inputs() const noexcept override { return model_->keeps_inputs(); }
  [[nodiscard]] bool needs_interpreter() const noexcept override {
    return model_->needs_interpreter();
  }
  /// True while there are stalls or delays, or some are scheduled.
  [[nodiscard]] bool may_block() const noexcept override;
  void run(Batch& batch) override;
  /// Ends stalls and delays, and fails the batches that they held.
  void interrupt() noexcept override;

 protected:
  /// Sleeps as Faults::hold(). To be overridden where the thread has something to let go of
  /// meanwhile.
  [[nodiscard]] virtual bool hold(const BatchFaults& batch);

 private:
  const std::shared_ptr<Executable> model_;
  const std::shared_ptr<Faults> faults_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace inferometer
