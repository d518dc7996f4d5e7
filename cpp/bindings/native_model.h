// What Python's native models have in common.
#pragma once

#include <memory>

#include "inferometer/executable.h"

namespace inferometer::python {

/// `_core.NativeModel`: a model that an engine runs without Python. Thread-safe.
class NativeModel {
 public:
  NativeModel() = default;
  virtual ~NativeModel() = default;
  NativeModel(const NativeModel&) = delete;
  NativeModel& operator=(const NativeModel&) = delete;

  /// A further instance for an engine; instances share what is constant.
  [[nodiscard]] virtual std::shared_ptr<Executable> make_executable() const = 0;
};

}  // namespace inferometer::python
