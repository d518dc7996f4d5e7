#include "engine_object.h"

#include <algorithm>
#include <cstdio>
#include <new>
#include <utility>

#include "errors.h"
#include "failure_log.h"
#include "gil.h"
#include "inferometer/clock.h"
#include "inferometer/completion_queue.h"
#include "inferometer/errors.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

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

int64_t look_at_ns(int64_t after_ns) noexcept {
  return handles_signals() ? steady_clock().now_ns() + after_ns : kNever;
}

py::object item_of(const std::shared_ptr<void>& object) {
  return py::reinterpret_borrow<py::object>(static_cast<PyObject*>(object.get()));
}

OutputNames names_of(const std::vector<TensorSpec>& specs) {
  OutputNames found;
  // A single input that the first request gave no name.
  for (const auto& spec : specs) found.names.push_back(spec.name.empty() ? "input" : spec.name);
  found.bare = specs.size() == 1;
  return found;
}

}  // namespace

// How a request or a call ended.
struct EngineObject::End {
  Outcome outcome;
  const Timing& timing;
  const std::exception_ptr& error;
  int64_t allowed_ns;
};

EngineObject::EngineObject(const py::list& models, ModelKind kind, EngineOptions options)
    : kind_(std::move(kind)) {
  auto executables = kind_.load(models);
  declare_outputs(executables.front()->outputs());
  without_gil(
      [&] { engine_ = std::make_unique<Engine>(std::move(executables), std::move(options)); });
}

void EngineObject::swap(const py::list& models) {
  auto executables = kind_.load(models);
  const std::vector<TensorSpec> outputs = executables.front()->outputs();
  without_gil([&] { engine_->swap(std::move(executables)); });
  declare_outputs(outputs);
}

// Those of models that are swapped in later are the same: the engine sees to that.
void EngineObject::declare_outputs(const std::vector<TensorSpec>& outputs) {
  if (!native() || outputs.empty() || declared_outputs_) return;
  declared_names_ = std::make_unique<const OutputNames>(names_of(outputs));
  declared_outputs_ = std::make_unique<const std::vector<TensorSpec>>(outputs);
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

// Wrong types are found before the core sees the request; they count as invalid all the same.
CallInputs EngineObject::parse(const py::handle& given, CallInputs::Rows rows) {
  try {
    CallInputs inputs(given, rows);
    if (!inputs.contiguous()) {
      // Checked before it is copied: a broadcast array may be far larger than its memory.
      engine_->check(inputs.inputs());
      inputs.make_contiguous();
    }
    return inputs;
  } catch (const Error&) {
    engine_->count_invalid();
    throw;
  } catch (const std::bad_alloc&) {  // no room for a contiguous copy
    engine_->count_invalid();
    throw;
  }
}

// A request that was made and waited for in one go, without the GIL.
struct EngineObject::Submitted {
  std::shared_ptr<Request> request;  // null: none was made yet
  Request::WaitStatus status = Request::WaitStatus::kDeadline;
};

py::object EngineObject::infer(const CallInputs& inputs, SubmitOptions& options, AnswerForm form) {
  // A leader of a Python model would have to take the GIL while everybody waits for it.
  options.caller_waits = native();
  Submitted submitted;
  if (py::object answer = run_here(inputs, options, form, submitted)) return answer;
  if (!submitted.request) submitted.request = submit(inputs, options);
  if (submitted.status != Request::WaitStatus::kEnded) wait(submitted.request, kNever);
  return result(*submitted.request, form);
}

py::object EngineObject::infer_item(const py::handle& item, const SubmitOptions& options) {
  const auto request = submit_item(item, options);
  wait(request, kNever);
  return result(*request, {});
}

std::shared_ptr<Request> EngineObject::submit_item(const py::handle& item,
                                                   const SubmitOptions& options) {
  return engine_->submit_object(share_object(item.ptr()), options);
}

py::object EngineObject::run_here(const CallInputs& inputs, const SubmitOptions& options,
                                  AnswerForm form, Submitted& instead) {
  ArraySink sink(form);
  EndedCall ended;
  if (native() && !declared_outputs_) return {};
  if (!native()) {
    ended = engine_->try_run_here(inputs.inputs(), sink, options);
  } else {
    // What does not fit is refused by submit(), before memory is taken for its answer.
    const Shape& shape = inputs.inputs().front().view.shape;
    const int64_t rows = shape.rank() > 0 ? shape[0] : 0;
    if (rows < 1 || rows > engine_->max_batch_size()) return {};
    sink.prepare(*declared_outputs_, rows);
    without_gil([&] {
      ended = engine_->try_run_here(inputs.inputs(), sink, options);
      if (ended.ran) return;
      // In one go: to have the GIL in between takes a turn among all threads that want it.
      instead.request = submit(inputs, options);
      instead.status = sleep(instead.request, look_at_ns(kFirstLookNs));
    });
  }
  if (!ended.ran) return {};
  if (ended.outcome == Outcome::kSuccess) return sink.answer(output_names());
  if (!native() && PyErr_CheckSignals() != 0) throw py::error_already_set();  // Ctrl-C in the model
  const auto allowed_ns =
      options.timeout_ns ? options.timeout_ns : engine_->batching().default_timeout_ns;
  raise(exception({ended.outcome, ended.timing, ended.error, allowed_ns.value_or(kNever)}));
}

FlushStatus EngineObject::flush(const CompletionQueue& here,
                                std::vector<std::shared_ptr<Request>>& ended, int64_t budget_ns) {
  if (!native()) return engine_->flush(here, ended, budget_ns);
  auto status = FlushStatus::kDone;
  without_gil([&] { status = engine_->flush(here, ended, budget_ns); });
  return status;
}

bool EngineObject::cancel(const std::shared_ptr<Request>& request, bool even_running) {
  bool cancelled = false;
  without_gil([&] { cancelled = engine_->cancel(request, even_running); });
  return cancelled;
}

bool EngineObject::wait(const std::shared_ptr<Request>& request, int64_t deadline_ns) {
  if (!request->ended() && engine_->on_worker_thread()) {
    cancel(request, true);
    throw Error("engine '" + engine_->name() +
                "': its own model waits for an answer from it, which would never come");
  }
  if (!request->ended() && engine_->forked()) {
    throw ClosedError("engine '" + engine_->name() +
                      "': the request was made before fork() and is answered in the parent");
  }
  for (int64_t look_after_ns = kFirstLookNs;; look_after_ns *= 2) {
    const int64_t look_at = look_at_ns(look_after_ns);
    auto status = Request::WaitStatus::kEnded;
    without_gil([&] { status = sleep(request, std::min(look_at, deadline_ns)); });
    if (status == Request::WaitStatus::kEnded) return true;
    if (status == Request::WaitStatus::kDeadline && deadline_ns <= look_at) return false;
    if (PyErr_CheckSignals() != 0) {
      py::error_already_set interrupted;
      cancel(request, true);
      throw py::error_already_set(std::move(interrupted));
    }
  }
}

Request::WaitStatus EngineObject::sleep(const std::shared_ptr<Request>& request, int64_t until_ns) {
  for (;;) {
    const Request::WaitStatus status = request->wait(until_ns);
    if (status != Request::WaitStatus::kLead) return status;
    engine_->lead(request);
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

const OutputNames& EngineObject::output_names() {
  if (!native()) {
    const OutputNames* const names = kind_.names->known();
    if (names == nullptr) throw Error("the model has answered, but not said what");  // cannot be
    return *names;
  }
  if (declared_names_) return *declared_names_;
  if (!implied_names_) {  // it answers its inputs, which the first request has fixed
    implied_names_ = std::make_unique<const OutputNames>(names_of(engine_->inputs()));
  }
  return *implied_names_;
}

py::object EngineObject::result(const Request& request, AnswerForm form) {
  if (request.outcome() != Outcome::kSuccess) raise(exception(request));
  if (request.result_object()) return item_of(request.result_object());
  return answer_of(request, output_names(), form);
}

py::object EngineObject::exception(const Request& request) const {
  return exception({request.outcome(), request.timing(), request.error(),
                    request.deadline_ns() - request.arrival_ns()});
}

py::object EngineObject::exception(const End& end) const {
  const std::string& name = engine_->name();
  switch (end.outcome) {
    case Outcome::kSuccess:
      return py::none();
    case Outcome::kFailure: {
      py::object error = model_error(name, end.error);
      log_failure(error);
      return error;
    }
    case Outcome::kTimeout:
      return error_class("DeadlineExceededError")(
          "engine '" + name + "': got no answer within " + seconds_text(end.allowed_ns) +
          "; the request " +
          (end.timing.batch_size > 0 ? "was with the model" : "still waited in the queue") +
          " after " + seconds_text(end.timing.total_ns));
    case Outcome::kCancelled:
      return py::module_::import("concurrent.futures").attr("CancelledError")();
    default:
      return error_class("ClosedError")("engine '" + name +
                                        "' was closed before the request was answered");
  }
}

EngineObject& engine_of(PyObject* object) {
  // A subclass made in Python keeps pybind11's simple layout: the pointer is where it says.
  const auto* const instance = reinterpret_cast<const py::detail::instance*>(object);
  if (instance->simple_layout && instance->simple_holder_constructed) [[likely]] {
    return *static_cast<EngineObject*>(instance->simple_value_holder[0]);
  }
  return py::handle(object).cast<EngineObject&>();
}

}  // namespace inferometer::python
