// `_core.Engine` and `_core.Request`: what Python holds of an engine and of a request.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrays.h"
#include "callable_model.h"
#include "inferometer/engine.h"
#include "inferometer/request.h"

namespace inferometer::python {

class EngineObject;

/// A request's Python side, attached to it: the form its answer takes, and the asyncio future that
/// waits for it, if one does. The references may be dropped anywhere; the future is let go of with
/// its delivery, under the GIL, because it would hold its waiter's frame, which holds the request.
struct Ticket {
  std::shared_ptr<EngineObject> engine;
  bool named = false;  // the inputs came as a dict: so does the answer
  std::shared_ptr<void> future;
};

/// How one request is called. The references must outlive the call. Single-owner.
struct CallOptions {
  std::optional<double> timeout_seconds;  // none: the default of the batching
  pybind11::handle trace_id;              // a str, or None
  // Of an asyncio caller; else null.
  std::shared_ptr<CompletionQueue> completions = nullptr;
  pybind11::handle future = {};
};

/// `_core.Engine`. Its methods are called with the GIL held and drop it while they wait; the last
/// reference closes the engine. Thread-safe.
class EngineObject : public std::enable_shared_from_this<EngineObject> {
 public:
  /// `callable` is the model again if it is a Python callable on arrays, else null.
  EngineObject(const std::shared_ptr<Executable>& model, std::shared_ptr<CallableModel> callable,
               EngineOptions options);
  ~EngineObject();
  EngineObject(const EngineObject&) = delete;
  EngineObject& operator=(const EngineObject&) = delete;

  [[nodiscard]] Engine& engine() noexcept { return *engine_; }

  /// Queues a request for arrays.
  std::shared_ptr<Request> submit(const CallInputs& inputs, const CallOptions& options);
  /// Queues a request for one item of an ItemsModel.
  std::shared_ptr<Request> submit_item(const pybind11::object& item, const CallOptions& options);
  /// Counts a request that was refused before it could be submitted.
  void refuse_invalid() noexcept { engine_->count_invalid(); }

  /// Sleeps without the GIL until the request has ended; Ctrl-C cancels it. `deadline_ns` as in
  /// Request::wait(); false if it passed.
  bool wait(const std::shared_ptr<Request>& request, int64_t deadline_ns);
  /// Engine::drain() without the GIL; Ctrl-C ends the wait (the engine goes on draining).
  bool drain(int64_t timeout_ns);
  /// The answer of an ended request, or its exception raised.
  [[nodiscard]] pybind11::object result(const Request& request, bool named);
  /// The exception of an ended request, None for a success.
  [[nodiscard]] pybind11::object exception(const Request& request) const;

 private:
  // Null unless an asyncio caller waits.
  [[nodiscard]] std::shared_ptr<Ticket> ticket(const CallOptions& options, bool named);
  // Of the outputs of a native model that does not know them: a DelayModel answers its inputs.
  [[nodiscard]] OutputNames names_of_inputs() const;
  [[nodiscard]] pybind11::object answer(const Request& request, bool named);

  std::unique_ptr<Engine> engine_;
  const std::shared_ptr<CallableModel> callable_;
  std::optional<OutputNames> native_names_;  // constant after construction
};

/// `_core.Request`: like concurrent.futures.Future. Thread-safe.
struct RequestObject {
  std::shared_ptr<EngineObject> engine;
  std::shared_ptr<Request> request;
  bool named = false;
};

}  // namespace inferometer::python
