#include "batching_options.h"

#include <cmath>
#include <optional>
#include <vector>

#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

int64_t to_int(const std::string& option, const py::handle& value) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
  if (overflow != 0) {
    throw ConfigError(option + ": got an int beyond 64 bits, want a smaller one");
  }
  if (number == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return number;
}

std::vector<int64_t> to_ints(const std::string& option, const py::handle& values) {
  std::vector<int64_t> numbers;
  for (const py::handle value : values) numbers.push_back(to_int(option, value));
  return numbers;
}

double to_double(const std::string& option, const py::handle& value) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (number == -1 && PyErr_Occurred() != nullptr) {
    if (PyErr_ExceptionMatches(PyExc_OverflowError) == 0) throw py::error_already_set();
    PyErr_Clear();
    throw ConfigError(option + ": got an int that no float can hold, want a smaller one");
  }
  return number;
}

/// The attributes of one dataclass; `prefix` tells it from others in messages. Single-owner, on the
/// stack.
class Attributes {
 public:
  explicit Attributes(const py::handle& from, std::string prefix = {})
      : from_(from), prefix_(std::move(prefix)) {}

  [[nodiscard]] py::object get(const char* name) const { return from_.attr(name); }
  [[nodiscard]] int64_t integer(const char* name) const {
    return to_int(prefix_ + name, get(name));
  }
  [[nodiscard]] std::vector<int64_t> integers(const char* name) const {
    return to_ints(prefix_ + name, get(name));
  }
  [[nodiscard]] double number(const char* name) const {
    return to_double(prefix_ + name, get(name));
  }
  [[nodiscard]] int64_t seconds(const char* name) const {
    return option_ns(prefix_ + name, number(name));
  }
  [[nodiscard]] std::optional<int64_t> optional_integer(const char* name) const {
    return get(name).is_none() ? std::nullopt : std::optional(integer(name));
  }
  [[nodiscard]] std::optional<int64_t> optional_seconds(const char* name) const {
    return get(name).is_none() ? std::nullopt : std::optional(seconds(name));
  }

 private:
  const py::handle from_;
  const std::string prefix_;
};

QueuePolicy to_policy(const py::handle& policy, const std::string& prefix) {
  const Attributes from(policy, prefix);
  QueuePolicy into;
  into.max_queue_size = from.optional_integer("max_queue_size");
  into.timeout_ns = from.optional_seconds("timeout");
  into.timeout_action = from.get("timeout_action").equal(py::str("delay")) ? TimeoutAction::kDelay
                                                                           : TimeoutAction::kReject;
  into.allow_timeout_override = from.get("allow_timeout_override").cast<bool>();
  return into;
}

Padding to_padding(const py::handle& padding) {
  const Attributes from(padding, "padding.");
  Padding into;
  into.axis = from.integer("axis");
  into.value = from.number("value");
  into.buckets = from.integers("buckets");
  into.trim_outputs = from.get("trim_outputs").cast<bool>();
  return into;
}

}  // namespace

int64_t option_ns(const std::string& option, double seconds) {
  if (std::isnan(seconds)) throw ConfigError(option + ": got nan, want seconds");
  return seconds_to_ns(seconds);
}

Batching to_batching(const py::handle& batching) {
  const Attributes from(batching);
  Batching into;
  into.max_batch_size = from.integer("max_batch_size");
  into.max_queue_delay_ns = from.seconds("max_queue_delay");
  into.preferred_batch_sizes = from.integers("preferred_batch_sizes");
  into.max_queue_size = from.integer("max_queue_size");
  into.max_queue_bytes = from.optional_integer("max_queue_bytes");
  into.default_timeout_ns = from.optional_seconds("default_timeout");
  into.priority_levels = from.integer("priority_levels");
  into.default_priority_level = from.integer("default_priority_level");
  into.default_queue_policy = to_policy(from.get("default_queue_policy"), "default_queue_policy.");
  for (const auto& [level, policy] : py::dict(from.get("priority_queue_policy"))) {
    const std::string field = "priority_queue_policy";
    const int64_t number = to_int(field + ": level", level);
    into.priority_queue_policy.emplace(
        number, to_policy(policy, field + "[" + std::to_string(number) + "]."));
  }
  const py::object padding = from.get("padding");
  if (!padding.is_none()) into.padding = to_padding(padding);
  into.merge_requests = from.get("merge_requests").cast<bool>();
  return into;
}

}  // namespace inferometer::python
