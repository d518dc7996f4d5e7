// Python's models as an engine takes them.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <vector>

#include "inferometer/engine.h"
#include "inferometer/faults.h"
#include "output_names.h"

namespace inferometer::python {

/// What the models of one engine have in common, for those that are swapped in later. Constant.
struct ModelKind {
  enum class Kind : uint8_t { kNative, kArrays, kItems };

  Kind kind = Kind::kNative;
  std::vector<TensorSpec> specs;   // declared for a callable
  std::shared_ptr<Faults> faults;  // null: none
  std::shared_ptr<LearnedNames> names = std::make_shared<LearnedNames>();

  /// `name`: "native", "arrays" or "items".
  [[nodiscard]] static Kind parse(const std::string& name);
  /// One executable for each of `models`, which are _core.NativeModels or callables.
  [[nodiscard]] std::vector<std::shared_ptr<Executable>> load(const pybind11::list& models) const;
};

/// Requests as samples: arrays, or dicts of them. Throws as a request would.
[[nodiscard]] std::shared_ptr<const std::vector<WarmupSample>> to_samples(
    const pybind11::list& samples);

}  // namespace inferometer::python
