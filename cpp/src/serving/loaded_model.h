// A model as an engine holds it: one executable for each instance.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/mutex.h"
#include "inferometer/batching.h"
#include "inferometer/executable.h"

namespace inferometer {

/// What swap() replaces as a whole. Requests hold the one that they were accepted for. Thread-safe.
class LoadedModel {
 public:
  /// Throws ConfigError: no instance, a null one, or instances that differ in inputs or outputs.
  explicit LoadedModel(std::vector<std::shared_ptr<Executable>> instances);
  ~LoadedModel();
  LoadedModel(const LoadedModel&) = delete;
  LoadedModel& operator=(const LoadedModel&) = delete;

  [[nodiscard]] size_t instances() const noexcept { return executables_.size(); }
  [[nodiscard]] Executable& executable(size_t instance) const noexcept {
    return *executables_[instance];
  }
  /// Tells every instance that its engine is being closed.
  void interrupt() const noexcept {
    for (const auto& executable : executables_) executable->interrupt();
  }
  /// Of all instances.
  [[nodiscard]] int64_t weights_bytes() const noexcept;
  [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept;

  /// The outputs' specs; empty until an answer fixed them, where nothing else did. Valid as long as
  /// this model.
  [[nodiscard]] std::span<const TensorSpec> outputs() const noexcept;
  /// Fixes the outputs, unless they are known.
  void learn_outputs(std::vector<TensorSpec> outputs);

 private:
  const std::vector<std::shared_ptr<Executable>> executables_;
  Mutex mutex_;
  std::unique_ptr<const std::vector<TensorSpec>> owned_outputs_ GUARDED_BY(mutex_);
  std::atomic<const std::vector<TensorSpec>*> outputs_{nullptr};  // set once; synchronises itself
};

/// Throws ConfigError naming `what`, the first difference, got and wanted. Empty lists match
/// everything.
void check_same_specs(std::string_view what, std::span<const TensorSpec> got,
                      std::span<const TensorSpec> want);

/// Throws ConfigError if `batching` is wrong in itself or wants more rows than the model takes;
/// else returns it.
[[nodiscard]] Batching checked_for(const LoadedModel& model, Batching batching);

}  // namespace inferometer
