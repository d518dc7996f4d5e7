// `_core.Request`: the handle that Engine.submit() gives.
#include <pybind11/stl.h>

#include <optional>

#include "call_arguments.h"
#include "engine_bindings.h"
#include "engine_object.h"
#include "errors.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

int64_t deadline_in(const py::object& timeout) {
  const auto seconds = seconds_or_none("timeout", timeout.ptr());
  if (!seconds) return kNever;
  const int64_t now = steady_clock().now_ns();
  const int64_t ns = seconds_to_ns(*seconds);
  return ns > kNever - now ? kNever : now + ns;
}

void wait_for_end(RequestObject& self, const py::object& timeout) {
  if (self.engine->wait(self.request, deadline_in(timeout))) return;
  const auto type = py::module_::import("concurrent.futures").attr("TimeoutError");
  raise(type("the request has not ended yet; it goes on"));
}

py::object request_result(RequestObject& self, const py::object& timeout) {
  wait_for_end(self, timeout);
  return self.engine->result(*self.request, self.form);
}

py::object request_exception(RequestObject& self, const py::object& timeout) {
  wait_for_end(self, timeout);
  if (self.request->outcome() == Outcome::kCancelled) {
    raise(self.engine->exception(*self.request));
  }
  return self.engine->exception(*self.request);
}

bool cancel_request(const RequestObject& self, const py::object& even_running) {
  return self.engine->cancel(self.request, bool_argument("even_running", even_running));
}

const Timing& timing(const RequestObject& self) {
  if (!self.request->ended()) throw Error("the request has not ended yet: it has no timing");
  return self.request->timing();
}

}  // namespace

void bind_request(py::module_& m) {
  py::class_<Timing>(m, "Timing",
                     "Where the time of one request went; seconds. A request that never reached "
                     "the model has batch_size 0 and waited in the queue all the time.")
      .def_property_readonly(
          "queue", [](const Timing& self) { return ns_to_seconds(self.queue_ns); },
          "Arrival until its batch started.")
      .def_property_readonly(
          "compute", [](const Timing& self) { return ns_to_seconds(self.compute_ns); },
          "The model's time for its batch.")
      .def_property_readonly(
          "total", [](const Timing& self) { return ns_to_seconds(self.total_ns); },
          "Arrival until it ended.")
      .def_readonly("batch_size", &Timing::batch_size, "Rows of its batch.")
      .def_property_readonly(
          "reason",
          [](const Timing& self) -> std::optional<std::string> {
            if (self.batch_size == 0) return std::nullopt;
            return std::string(release_reason_name(self.reason));
          },
          "Why its batch was released; None if it never reached the model.")
      .def("__repr__", [](const Timing& self) {
        return py::str("Timing(queue={:.6f}, compute={:.6f}, total={:.6f}, batch_size={})")
            .format(ns_to_seconds(self.queue_ns), ns_to_seconds(self.compute_ns),
                    ns_to_seconds(self.total_ns), self.batch_size);
      });

  py::class_<RequestObject>(m, "Request", "One accepted request, like a concurrent.futures.Future.")
      .def("result", &request_result, py::arg("timeout") = py::none(),
           "Waits for the answer. Raises what ended the request otherwise, or TimeoutError if it "
           "has not ended within `timeout` seconds (it then goes on).")
      .def("exception", &request_exception, py::arg("timeout") = py::none(),
           "Waits for the end and returns the exception, None for a success.")
      .def("cancel", &cancel_request, py::arg("even_running") = false,
           "Ends the request as cancelled if it still waits; with `even_running` also while its "
           "batch is with the model, whose answer is then thrown away. False if too late.")
      .def("done", [](const RequestObject& self) { return self.request->ended(); })
      .def("running", [](const RequestObject& self) { return self.request->running(); })
      .def("cancelled",
           [](const RequestObject& self) {
             return self.request->ended() && self.request->outcome() == Outcome::kCancelled;
           })
      .def_property_readonly("timing", &timing,
                             "Where the time went. Raises Error before the request has ended.");
}

}  // namespace inferometer::python
