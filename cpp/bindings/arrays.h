// numpy arrays as tensors and back.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "inferometer/engine.h"
#include "inferometer/tensor.h"

namespace inferometer::python {

/// The type of a numpy array. Throws DTypeError naming `what` for a type that is not supported or
/// not in this machine's byte order.
[[nodiscard]] DType dtype_of(const pybind11::array& array, const std::string& what);
[[nodiscard]] pybind11::dtype numpy_dtype(DType dtype);

/// A view of an array, as if it were C-contiguous. The caller keeps the array alive and unchanged.
[[nodiscard]] TensorView view_of(const pybind11::array& array, const std::string& what);

/// A fresh array, uninitialised.
[[nodiscard]] pybind11::array fresh_array(DType dtype, std::span<const int64_t> dims);

/// A fresh array with a copy of the elements.
[[nodiscard]] pybind11::array array_of(const TensorView& view);

/// A read-only array over memory that `owner` keeps alive; nothing is copied.
[[nodiscard]] pybind11::array array_over(const TensorView& view, std::shared_ptr<const void> owner);

/// What a caller hands to infer(): one array, or a dict of arrays by name. Keeps the arrays alive.
/// Single-owner.
class CallInputs {
 public:
  /// kOne: each array is a single sample, shown to the model with a row axis in front.
  enum class Rows : uint8_t { kGiven, kOne };

  /// Throws DTypeError for anything else, InputError for keys that are not strings.
  explicit CallInputs(const pybind11::handle& given, Rows rows = Rows::kGiven);
  CallInputs(CallInputs&&) = default;
  CallInputs& operator=(CallInputs&&) = delete;
  /// Whether all arrays are C-contiguous; if not, inputs() is good for its shapes and types only.
  [[nodiscard]] bool contiguous() const noexcept { return contiguous_; }
  /// Copies the arrays that are not, each into one that is.
  void make_contiguous();
  /// Valid while this object lives, until make_contiguous().
  [[nodiscard]] std::span<const NamedInput> inputs() const noexcept {
    return named_ ? std::span<const NamedInput>(inputs_) : std::span(&only_, 1);
  }
  /// True for a dict: the answer is then a dict too.
  [[nodiscard]] bool named() const noexcept { return named_; }

 private:
  [[nodiscard]] pybind11::array array_in(const pybind11::handle& given, const char* name) const;
  [[nodiscard]] TensorView view(const pybind11::array& array, const std::string& what) const;
  void add(pybind11::array array, std::string name);
  void refer();  // once all are added: the names do not move any more

  const Rows rows_;
  bool named_ = false;
  bool contiguous_ = true;
  // A bare array, in place: most requests are one, and nothing is allocated for it.
  pybind11::array array_{pybind11::reinterpret_steal<pybind11::array>(nullptr)};
  NamedInput only_;
  // The arrays of a dict.
  std::vector<pybind11::array> arrays_;
  std::vector<std::string> names_;
  std::vector<NamedInput> inputs_;
};

}  // namespace inferometer::python
