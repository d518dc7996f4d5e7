#include "python_arrivals.h"

#include <pybind11/numpy.h>

#include <cmath>
#include <string>
#include <utility>

#include "gil.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

// With the GIL held: Ctrl-C ends a long simulation.
void look_for_signals() {
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

/// One item of an iterable. Needs the GIL; single-owner, on the stack.
class Item {
 public:
  Item(const py::handle& item, size_t index) : item_(item), index_(index) {}

  [[nodiscard]] SimulatedArrival arrival() const {
    SimulatedArrival arrival;
    if (!PyTuple_Check(item_.ptr())) {
      arrival.at_ns = seconds(item_);
      return arrival;
    }
    if (size() == 0 || size() > kFields) refuse();
    arrival.at_ns = seconds(field(kAt));
    if (has(kRows)) arrival.rows = integer(field(kRows));
    if (has(kPriority)) arrival.priority = integer(field(kPriority));
    if (has(kGroup)) arrival.group = integer(field(kGroup));
    if (has(kTimeout)) arrival.timeout_ns = seconds(field(kTimeout));
    if (has(kCancelAt)) arrival.cancel_ns = seconds(field(kCancelAt));
    if (has(kBytes)) arrival.bytes = integer(field(kBytes));
    if (has(kLength)) arrival.length = length(field(kLength));
    return arrival;
  }

 private:
  // The order of inferometer.Arrival.
  enum Field : uint8_t { kAt, kRows, kPriority, kGroup, kTimeout, kCancelAt, kBytes, kLength };
  static constexpr py::ssize_t kFields = kLength + 1;

  [[nodiscard]] py::ssize_t size() const { return PyTuple_GET_SIZE(item_.ptr()); }
  [[nodiscard]] py::handle field(Field field) const { return PyTuple_GET_ITEM(item_.ptr(), field); }
  [[nodiscard]] bool has(Field which) const { return which < size() && !field(which).is_none(); }

  [[nodiscard]] int64_t seconds(const py::handle& value) const {
    const double seconds = PyFloat_AsDouble(value.ptr());
    if (seconds == -1 && PyErr_Occurred() != nullptr) refuse();
    if (!std::isfinite(seconds)) refuse();
    return seconds_to_ns(seconds);
  }
  [[nodiscard]] int64_t integer(const py::handle& value) const {
    const long long number = PyLong_AsLongLong(value.ptr());
    if (number == -1 && PyErr_Occurred() != nullptr) refuse();
    return number;
  }
  // -1 says that there is none.
  [[nodiscard]] int64_t length(const py::handle& value) const {
    const int64_t length = integer(value);
    if (length < 0) refuse();
    return length;
  }

  [[noreturn]] void refuse() const {
    PyErr_Clear();
    throw ConfigError("arrival " + std::to_string(index_) + ": got " +
                      std::string(py::str(py::repr(item_))) +
                      ", want seconds, (seconds, rows) or inferometer.Arrival");
  }

  const py::handle item_;
  const size_t index_;
};

/// Single-owner.
class IteratedArrivals final : public ArrivalSource {
 public:
  explicit IteratedArrivals(const py::iterator& iterator)
      : iterator_(share_object(iterator.ptr())) {}

  size_t read(std::span<SimulatedArrival> into) override {
    const OnPythonThread gil;
    look_for_signals();
    size_t got = 0;
    while (got < into.size()) {
      const auto item =
          py::reinterpret_steal<py::object>(PyIter_Next(static_cast<PyObject*>(iterator_.get())));
      if (!item) {
        if (PyErr_Occurred() != nullptr) throw py::error_already_set();
        break;
      }
      into[got++] = Item(item, read_++).arrival();
    }
    return got;
  }

 private:
  const std::shared_ptr<void> iterator_;
  size_t read_ = 0;
};

using Doubles = py::array_t<double, py::array::c_style>;

/// Single-owner.
class ArrayOfArrivals final : public ArrivalSource {
 public:
  explicit ArrayOfArrivals(const Doubles& array)
      : array_(share_object(array.ptr())),
        data_(array.data()),
        count_(static_cast<size_t>(array.shape(0))),
        columns_(array.ndim() == 2 ? 2 : 1) {}

  size_t read(std::span<SimulatedArrival> into) override {
    {
      const OnPythonThread gil;
      look_for_signals();
    }
    size_t got = 0;
    for (; got < into.size() && next_ < count_; ++got, ++next_) {
      const double* const row = data_ + next_ * columns_;
      into[got] = {};
      if (!std::isfinite(row[0])) refuse("seconds", row[0], "a finite number");
      into[got].at_ns = seconds_to_ns(row[0]);
      if (columns_ == 2) into[got].rows = rows(row[1]);
    }
    return got;
  }

 private:
  [[nodiscard]] int64_t rows(double number) const {
    constexpr double kMost = 1LL << 53;  // from here on doubles are not all integers
    if (!(std::abs(number) < kMost) || number != std::floor(number)) {
      refuse("rows", number, "a whole number");
    }
    return static_cast<int64_t>(number);
  }
  [[noreturn]] void refuse(const std::string& what, double got, const std::string& want) const {
    throw ConfigError("arrival " + std::to_string(next_) + ": got " + what + " " +
                      std::to_string(got) + ", want " + want);
  }

  const std::shared_ptr<void> array_;
  const double* const data_;
  const size_t count_;
  const size_t columns_;
  size_t next_ = 0;
};

}  // namespace

std::unique_ptr<ArrivalSource> arrivals_from(const py::object& arrivals) {
  if (py::isinstance<Doubles>(arrivals)) {
    const auto array = py::reinterpret_borrow<Doubles>(arrivals);
    if (array.ndim() == 1 || (array.ndim() == 2 && array.shape(1) == 2)) {
      return std::make_unique<ArrayOfArrivals>(array);
    }
  }
  return std::make_unique<IteratedArrivals>(py::iter(arrivals));
}

}  // namespace inferometer::python
