#include "failure_log.h"

#include <chrono>
#include <cstdint>

#include "gil.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::seconds kPause{10};

/// When there was a message last, and how many were passed over since. Guarded by the GIL.
class Limit {
 public:
  void warn(const char* format, const py::object& error) {
    const Clock::time_point now = Clock::now();
    if (said_ && now < next_) {
      ++passed_over_;
      return;
    }
    said_ = true;
    next_ = now + kPause;
    const uint64_t passed_over = passed_over_;
    passed_over_ = 0;
    try {
      const py::object logger = py::module_::import("logging").attr("getLogger")("inferometer");
      logger.attr("warning")(format, error, passed_over);
    } catch (py::error_already_set& raised) {
      raised.discard_as_unraisable("inferometer's logging");
    }
  }

 private:
  bool said_ = false;
  Clock::time_point next_;
  uint64_t passed_over_ = 0;
};

}  // namespace

void log_failure(const py::object& error) {
  static Limit limit;
  limit.warn("a request failed: %s (%d more since the last message)", error);
}

void log_refusal(const py::object& error) {
  static Limit limit;
  limit.warn("a request was refused: %s (%d more since the last message)", error);
}

}  // namespace inferometer::python
