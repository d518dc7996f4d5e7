#include "engine_object.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "errors.h"
#include "gil.h"
#include "inferometer/clock.h"
#include "inferometer/completion_queue.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

std::optional<int64_t> timeout_ns(std::optional<double> seconds) {
  if (!seconds) return std::nullopt;
  if (std::isnan(*seconds)) throw ConfigError("timeout: got nan, want seconds or None");
  return seconds_to_ns(*seconds);
}

// The UTF-8 of a trace id, valid while the string lives.
std::string_view trace_text(const py::handle& trace_id) {
  if (trace_id.is_none()) return {};
  Py_ssize_t bytes = 0;
  const char* const text = PyUnicode_Check(trace_id.ptr()) != 0
                               ? PyUnicode_AsUTF8AndSize(trace_id.ptr(), &bytes)
                               : nullptr;
  if (text == nullptr) {
    PyErr_Clear();
    throw ConfigError("trace_id: got " + py::repr(trace_id).cast<std::string>() +
                      ", want a str without lone surrogates, or None");
  }
  return {text, static_cast<size_t>(bytes)};
}

SubmitOptions submit_options(const CallOptions& call, std::shared_ptr<Ticket> ticket) {
  SubmitOptions options;
  options.timeout_ns = timeout_ns(call.timeout_seconds);
  options.trace_id = trace_text(call.trace_id);
  options.completions = call.completions;
  options.attachment = std::move(ticket);
  options.flush_later = call.completions != nullptr;  // at the end of the loop's turn
  return options;
}

std::string seconds_text(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g s", ns_to_seconds(ns));
  return text;
}

// A signal interrupts the wait, but not one that arrives in the last instructions before it. So the
// thread that handles signals looks again after this time, and then after twice as long each time:
// Ctrl-C is honoured at the latest when the wait has doubled, for a handful of wake-ups in all.
constexpr int64_t kFirstLookNs = 10'000'000;

// A drain waits for minutes at most and looks this often.
constexpr int64_t kDrainLookNs = 100'000'000;

bool handles_signals() { return syscall(SYS_gettid) == getpid(); }

py::object item_of(const std::shared_ptr<void>& object) {
  return py::reinterpret_borrow<py::object>(static_cast<PyObject*>(object.get()));
}

}  // namespace

EngineObject::EngineObject(const std::shared_ptr<Executable>& model,
                           std::shared_ptr<CallableModel> callable, EngineOptions options)
    : callable_(std::move(callable)) {
  without_gil([&] { engine_ = std::make_unique<Engine>(model, std::move(options)); });
  if (callable_ || model->outputs().empty()) return;
  OutputNames names;
  for (const TensorSpec& spec : model->outputs()) names.names.push_back(spec.name);
  names.bare = names.names.size() == 1;
  native_names_ = std::move(names);
}

EngineObject::~EngineObject() {
  // The last reference may be dropped with or without the GIL (by a worker that lets go of a
  // request). Closing waits for a worker that may need it.
  if (PyGILState_Check() != 0) {
    without_gil([&] { engine_.reset(); });
  } else {
    engine_.reset();
  }
}

std::shared_ptr<Request> EngineObject::submit(const CallInputs& inputs,
                                              const CallOptions& options) {
  return engine_->submit(inputs.inputs(), submit_options(options, ticket(options, inputs.named())));
}

std::shared_ptr<Request> EngineObject::submit_item(const py::object& item,
                                                   const CallOptions& options) {
  return engine_->submit_object(share_object(item.ptr()),
                                submit_options(options, ticket(options, false)));
}

std::shared_ptr<Ticket> EngineObject::ticket(const CallOptions& options, bool named) {
  if (!options.completions) return nullptr;
  return std::make_shared<Ticket>(
      Ticket{shared_from_this(), named, share_object(options.future.ptr())});
}

bool EngineObject::wait(const std::shared_ptr<Request>& request, int64_t deadline_ns) {
  if (!request->ended() && engine_->on_worker_thread()) {
    without_gil([&] { engine_->cancel(request, true); });
    throw Error("engine '" + engine_->name() +
                "': its own model waits for an answer from it, which would never come");
  }
  if (!request->ended() && engine_->forked()) {
    throw ClosedError("engine '" + engine_->name() +
                      "': the request was made before fork() and is answered in the parent");
  }
  for (int64_t look_after_ns = kFirstLookNs;; look_after_ns *= 2) {
    const int64_t look_at = handles_signals() ? steady_clock().now_ns() + look_after_ns : kNever;
    auto status = Request::WaitStatus::kEnded;
    without_gil([&] { status = request->wait(std::min(look_at, deadline_ns)); });
    if (status == Request::WaitStatus::kEnded) return true;
    if (status == Request::WaitStatus::kDeadline && deadline_ns <= look_at) return false;
    if (PyErr_CheckSignals() != 0) {
      py::error_already_set interrupted;
      without_gil([&] { engine_->cancel(request, true); });
      throw py::error_already_set(std::move(interrupted));
    }
  }
}

bool EngineObject::drain(int64_t timeout_ns) {
  const int64_t now = steady_clock().now_ns();
  const int64_t deadline = timeout_ns > kNever - now ? kNever : now + timeout_ns;
  const int64_t look_ns = handles_signals() ? kDrainLookNs : kNever;
  for (;;) {
    const int64_t left = deadline - steady_clock().now_ns();
    bool drained = false;
    without_gil([&] { drained = engine_->drain(std::min(left, look_ns)); });
    if (drained || left <= look_ns || engine_->on_worker_thread()) return drained;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

OutputNames EngineObject::names_of_inputs() const {
  OutputNames names;
  for (const TensorSpec& spec : engine_->inputs()) {
    names.names.push_back(spec.name.empty() ? "input" : spec.name);
  }
  names.bare = names.names.size() == 1;
  return names;
}

py::object EngineObject::answer(const Request& request, bool named) {
  if (request.result_object()) return item_of(request.result_object());
  OutputNames learned;
  if (!native_names_) learned = callable_ ? callable_->output_names() : names_of_inputs();
  const OutputNames& names = native_names_ ? *native_names_ : learned;
  const std::vector<TensorView> outputs = request.outputs();
  if (names.bare && !named) return array_of(outputs.front());
  py::dict answer;
  for (size_t i = 0; i < outputs.size(); ++i) {
    answer[py::str(names.names[i])] = array_of(outputs[i]);
  }
  return answer;
}

py::object EngineObject::result(const Request& request, bool named) {
  if (request.outcome() == Outcome::kSuccess) return answer(request, named);
  raise(exception(request));
}

py::object EngineObject::exception(const Request& request) const {
  const std::string& name = engine_->name();
  const Timing& timing = request.timing();
  switch (request.outcome()) {
    case Outcome::kSuccess:
      return py::none();
    case Outcome::kFailure:
      return model_error(name, request.error());
    case Outcome::kTimeout:
      return error_class("DeadlineExceededError")(
          "engine '" + name + "': got no answer within " +
          seconds_text(request.deadline_ns() - request.arrival_ns()) + "; the request " +
          (timing.batch_size > 0 ? "was with the model" : "still waited in the queue") + " after " +
          seconds_text(timing.total_ns));
    case Outcome::kCancelled:
      return py::module_::import("concurrent.futures").attr("CancelledError")();
    default:
      return error_class("ClosedError")("engine '" + name +
                                        "' was closed before the request was answered");
  }
}

}  // namespace inferometer::python
