// What the outputs of a Python model are called.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"

namespace inferometer::python {

/// Names in the order of a model's outputs, and whether it answers with one bare array instead of a
/// dict.
struct OutputNames {
  std::vector<std::string> names;
  bool bare = false;
};

/// The names that the first answer fixes, shared by all instances of a model and by those that are
/// swapped in for it. Thread-safe.
class LearnedNames {
 public:
  /// Null before the first answer. Lives as long as this object.
  [[nodiscard]] const OutputNames* known() const noexcept {
    return known_.load(std::memory_order_acquire);
  }
  /// Fixes the names, or throws ModelError if they are fixed and others.
  const OutputNames& learn(OutputNames found);

 private:
  std::atomic<const OutputNames*> known_{nullptr};  // set once; owned by owned_
  Mutex mutex_;
  std::unique_ptr<const OutputNames> owned_ GUARDED_BY(mutex_);
};

}  // namespace inferometer::python
