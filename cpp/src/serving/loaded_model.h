// A model as an engine holds it: one executable for each instance.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
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
  /// Of all instances; weights that several share count once.
  [[nodiscard]] int64_t weights_bytes() const;
  [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept;

  /// The outputs' specs; empty until an answer fixed them, where nothing else did. Valid as long as
  /// this model.
  [[nodiscard]] std::span<const TensorSpec> outputs() const noexcept;
  /// Fixes the outputs by an answer, unless they are known. Such specs are not declared: their
  /// names are numbers, and their dimensions those of one answer.
  void learn_outputs(std::vector<TensorSpec> outputs);
  /// What a batch, and a request of it, takes: moving averages, 0 = not known yet. These are the
  /// engine's, under its mutex.
  [[nodiscard]] double batch_ns() const noexcept { return batch_ns_; }
  [[nodiscard]] double request_ns() const noexcept { return request_ns_; }
  void learn_cost(int64_t batch_ns, int64_t requests) noexcept;
  /// Before it serves in the place of `before`: takes over the outputs that were declared there,
  /// unless it declares its own. Throws ConfigError if they differ, in names only where both are
  /// declared. Not while others use this one.
  void take_the_place_of(const LoadedModel& before);

 private:
  const std::vector<std::shared_ptr<Executable>> executables_;
  double batch_ns_ = 0;
  double request_ns_ = 0;
  bool outputs_declared_ = false;  // constant once others use it
  Mutex mutex_;
  std::unique_ptr<const std::vector<TensorSpec>> owned_outputs_ GUARDED_BY(mutex_);
  std::atomic<const std::vector<TensorSpec>*> outputs_{nullptr};  // once, for others
};

/// What of two specs must agree: all, or all that an answer says (no names, and a dimension may be
/// free on one side).
enum class Agreement : uint8_t { kExact, kAsAnswered };

/// Throws ConfigError naming `what`, the first difference, got and wanted. Empty lists match
/// everything.
void check_same_specs(std::string_view what, std::span<const TensorSpec> got,
                      std::span<const TensorSpec> want, Agreement agreement = Agreement::kExact);

/// Throws ConfigError if `batching` is wrong in itself or wants more rows than the model takes;
/// else returns it.
[[nodiscard]] Batching checked_for(const LoadedModel& model, Batching batching);

}  // namespace inferometer
