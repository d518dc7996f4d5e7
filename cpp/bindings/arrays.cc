#include "arrays.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "inferometer/errors.h"
#include "text_arguments.h"
#include "type_name.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

std::string name_of(const py::handle& key) {
  if (const auto text = utf8_of(key.ptr())) return std::string(*text);
  throw InputError("got an input name that is not valid Unicode (a lone surrogate), want a name");
}

std::string quoted(const std::string& name) {
  return name.empty() ? "input" : std::string("input '").append(name).append("'");
}

}  // namespace

DType dtype_of(const py::array& array, const std::string& what) {
  const py::dtype dtype = array.dtype();
  const char order = dtype.byteorder();
  if (order != '>') {  // '<' and '=' are this machine's, '|' has none
    switch (dtype.kind()) {
      case 'b':
        return DType::kBool;
      case 'u':
      case 'i': {
        const bool is_signed = dtype.kind() == 'i';
        switch (dtype.itemsize()) {
          case 1:
            return is_signed ? DType::kInt8 : DType::kUint8;
          case 2:
            return is_signed ? DType::kInt16 : DType::kUint16;
          case 4:
            return is_signed ? DType::kInt32 : DType::kUint32;
          default:
            return is_signed ? DType::kInt64 : DType::kUint64;
        }
      }
      case 'f':
        if (dtype.itemsize() == 2) return DType::kFloat16;
        if (dtype.itemsize() == 4) return DType::kFloat32;
        if (dtype.itemsize() == 8) return DType::kFloat64;
        break;
      default:
        break;
    }
  }
  throw DTypeError(what + ": got " + py::str(static_cast<py::object>(dtype)).cast<std::string>() +
                   (order == '>' ? " in big-endian order" : "") +
                   ", want a bool, an integer or a float16/32/64 in native byte order");
}

py::dtype numpy_dtype(DType dtype) {
  // Type numbers of numpy's stable C API, indexed by DType.
  static constexpr std::array<int, 12> kNumbers{0,    // bool
                                                2,    // uint8
                                                4,    // uint16
                                                6,    // uint32
                                                8,    // uint64: unsigned long
                                                1,    // int8
                                                3,    // int16
                                                5,    // int32
                                                7,    // int64: long
                                                23,   // float16
                                                11,   // float32
                                                12};  // float64
  static_assert(sizeof(long) == 8, "NPY_LONG must be the 64-bit integer");
  return py::dtype(kNumbers[static_cast<size_t>(dtype)]);
}

TensorView view_of(const py::array& array, const std::string& what) {
  const auto rank = static_cast<size_t>(array.ndim());
  if (rank > Shape::kMaxRank) {
    throw ShapeError(what + ": got " + std::to_string(rank) + " dimensions, want at most " +
                     std::to_string(Shape::kMaxRank));
  }
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (size_t i = 0; i < rank; ++i) dims[i] = array.shape(static_cast<py::ssize_t>(i));
  return {dtype_of(array, what), Shape(std::span<const int64_t>(dims.data(), rank)),
          static_cast<const std::byte*>(array.data())};
}

namespace {

std::vector<py::ssize_t> numpy_shape(const Shape& shape) {
  return {shape.dims().begin(), shape.dims().end()};
}

}  // namespace

py::array fresh_array(DType dtype, std::span<const int64_t> dims) {
  // numpy's own function: py::array's constructor computes strides on the heap first.
  std::array<Py_intptr_t, Shape::kMaxRank> sizes{};
  std::ranges::copy(dims, sizes.begin());
  const auto& numpy = py::detail::npy_api::get();
  auto array = py::reinterpret_steal<py::array>(numpy.PyArray_NewFromDescr_(
      numpy.PyArray_Type_, numpy_dtype(dtype).release().ptr(), static_cast<int>(dims.size()),
      sizes.data(), nullptr, nullptr, 0, nullptr));
  if (!array) throw py::error_already_set();
  return array;
}

py::array array_of(const TensorView& view) {
  py::array array = fresh_array(view.dtype, view.shape.dims());
  const size_t bytes = view.bytes();
  if (bytes > 0) std::memcpy(array.mutable_data(), view.data, bytes);
  return array;
}

py::array array_over(const TensorView& view, std::shared_ptr<const void> owner) {
  auto held = std::make_unique<std::shared_ptr<const void>>(std::move(owner));
  const py::capsule base(
      held.get(), [](void* pointer) { delete static_cast<std::shared_ptr<const void>*>(pointer); });
  [[maybe_unused]] const auto* const owned_by_capsule = held.release();
  py::array array(numpy_dtype(view.dtype), numpy_shape(view.shape), view.data, base);
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

CallInputs::CallInputs(const py::handle& given, Rows rows) : rows_(rows) {
  if (PyDict_Check(given.ptr()) == 0) {
    array_ = array_in(given, "");
    contiguous_ = (array_.flags() & py::array::c_style) != 0;
    refer();
    return;
  }
  named_ = true;
  // A copy: converting an array may let other threads run, and they may change the dict.
  const auto items = py::reinterpret_steal<py::dict>(PyDict_Copy(given.ptr()));
  if (!items) throw py::error_already_set();
  if (items.empty()) throw InputError("got an empty dict, want the inputs by name");
  for (const auto& [key, value] : items) {
    if (!PyUnicode_Check(key.ptr())) {
      throw InputError("got an input name of type " + type_name(key) + ", want str");
    }
    std::string name = name_of(key);
    if (name.empty()) throw InputError("got an empty input name, want a name");
    py::array array = array_in(value, name.c_str());
    add(std::move(array), std::move(name));
  }
  refer();
}

// `name` is empty for an array that came without one.
py::array CallInputs::array_in(const py::handle& given, const char* name) const {
  if (py::isinstance<py::array>(given)) return py::reinterpret_borrow<py::array>(given);
  // A sample of a model on single numbers may be a number of numpy's.
  if (rows_ == Rows::kOne && py::isinstance(given, py::module_::import("numpy").attr("generic"))) {
    return py::array::ensure(given);
  }
  if (*name == '\0') {
    throw DTypeError("got " + type_name(given) +
                     ", want a numpy array or a dict of them by input name");
  }
  throw DTypeError(quoted(name) + ": got " + type_name(given) + ", want a numpy array");
}

TensorView CallInputs::view(const py::array& array, const std::string& what) const {
  TensorView view = view_of(array, what);
  if (rows_ == Rows::kOne) view.shape = view.shape.prepend(1);
  return view;
}

void CallInputs::refer() {
  if (!named_) {
    static const std::string input = quoted({});
    only_ = {{}, view(array_, input)};
    return;
  }
  inputs_.clear();
  for (size_t i = 0; i < arrays_.size(); ++i) {
    inputs_.push_back({names_[i], view(arrays_[i], quoted(names_[i]))});
  }
}

void CallInputs::make_contiguous() {
  const auto make = [](py::array& array) {
    array = py::array::ensure(array, py::array::c_style);
    if (!array) throw std::bad_alloc();  // numpy had no room for a contiguous copy
  };
  if (!named_) make(array_);
  std::ranges::for_each(arrays_, make);
  contiguous_ = true;
  refer();
}

void CallInputs::add(py::array array, std::string name) {
  contiguous_ = contiguous_ && (array.flags() & py::array::c_style) != 0;
  names_.push_back(std::move(name));
  arrays_.push_back(std::move(array));
}

}  // namespace inferometer::python
