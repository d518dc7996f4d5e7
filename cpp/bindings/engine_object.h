// `_core.Engine` and `_core.Request`: what Python holds of an engine and of a request.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "answer.h"
#include "arrays.h"
#include "engine_models.h"
#include "inferometer/engine.h"
#include "inferometer/request.h"

namespace inferometer::python {

/// `_core.Engine`. Its methods are called with the GIL held and drop it while they wait; the last
/// reference closes the engine. Thread-safe.
class EngineObject : public std::enable_shared_from_this<EngineObject> {
 public:
  /// One instance for each of `models`, which are of the kind.
  EngineObject(const pybind11::list& models, ModelKind kind, EngineOptions options);
  ~EngineObject();
  EngineObject(const EngineObject&) = delete;
  EngineObject& operator=(const EngineObject&) = delete;

  [[nodiscard]] Engine& engine() noexcept { return *engine_; }

  /// Engine::swap() with models of the same kind, without the GIL.
  void swap(const pybind11::list& models);

  /// What `given` says, ready to be submitted. What is found wrong with it is counted as invalid.
  [[nodiscard]] CallInputs parse(const pybind11::handle& given, CallInputs::Rows rows);

  /// Waits for the answer, on this thread's own time where the engine lets it.
  [[nodiscard]] pybind11::object infer(const CallInputs& inputs, SubmitOptions& options,
                                       AnswerForm form);
  /// The same for one item of an ItemsModel.
  [[nodiscard]] pybind11::object infer_item(const pybind11::handle& item,
                                            const SubmitOptions& options);
  [[nodiscard]] std::shared_ptr<Request> submit(const CallInputs& inputs,
                                                const SubmitOptions& options) {
    return engine_->submit(inputs.inputs(), options);
  }
  [[nodiscard]] std::shared_ptr<Request> submit_item(const pybind11::handle& item,
                                                     const SubmitOptions& options);
  /// Engine::flush(); without the GIL, unless the model needs it.
  FlushStatus flush(const CompletionQueue& here, std::vector<std::shared_ptr<Request>>& ended,
                    int64_t budget_ns);

  /// Sleeps without the GIL until the request has ended; Ctrl-C cancels it. `deadline_ns` as in
  /// Request::wait(); false if it passed.
  bool wait(const std::shared_ptr<Request>& request, int64_t deadline_ns);
  /// Engine::cancel() of whatever has not ended, running or not, without the GIL.
  bool cancel(const std::shared_ptr<Request>& request, bool even_running);
  /// Engine::drain() without the GIL; Ctrl-C ends the wait (the engine goes on draining).
  bool drain(int64_t timeout_ns);
  /// The answer of an ended request, or its exception raised.
  [[nodiscard]] pybind11::object result(const Request& request, AnswerForm form);
  /// The exception of an ended request, None for a success.
  [[nodiscard]] pybind11::object exception(const Request& request) const;

 private:
  struct End;
  struct Submitted;
  [[nodiscard]] pybind11::object exception(const End& end) const;
  /// Without the GIL: waits and leads, until then at the latest.
  Request::WaitStatus sleep(const std::shared_ptr<Request>& request, int64_t until_ns);
  /// Null if the engine did not run it; a native model's request is then made `instead`.
  [[nodiscard]] pybind11::object run_here(const CallInputs& inputs, const SubmitOptions& options,
                                          AnswerForm form, Submitted& instead);
  [[nodiscard]] const OutputNames& output_names();
  [[nodiscard]] bool native() const noexcept { return kind_.kind == ModelKind::Kind::kNative; }
  void declare_outputs(const std::vector<TensorSpec>& outputs);

  std::unique_ptr<Engine> engine_;
  const ModelKind kind_;
  // Of a native model: what it declares, or the first that is swapped in and declares something;
  // and, before that, the names of its inputs, which it answers then. Each set once, with the GIL:
  // whoever reads one may keep a reference.
  std::unique_ptr<const std::vector<TensorSpec>> declared_outputs_;
  std::unique_ptr<const OutputNames> declared_names_;
  std::unique_ptr<const OutputNames> implied_names_;
};

/// `_core.Request`: like concurrent.futures.Future. Thread-safe.
struct RequestObject {
  std::shared_ptr<EngineObject> engine;
  std::shared_ptr<Request> request;
  AnswerForm form;
};

/// The engine of an instance of `_core.Engine`. Throws type_error if it was never initialised.
[[nodiscard]] EngineObject& engine_of(PyObject* object);

}  // namespace inferometer::python
