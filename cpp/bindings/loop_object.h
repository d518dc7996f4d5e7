// `_core.Completions`: what an asyncio loop shares with the engines that its tasks call.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "inferometer/completion_queue.h"

namespace inferometer::python {

class EngineObject;

/// One loop's ended requests, and the engines that its tasks have given requests in this turn of
/// the loop. Those are woken once, when the turn is over: waking a worker costs more than
/// submitting, and one turn's requests make one batch. Used on the loop's thread, with the GIL.
class LoopObject {
 public:
  [[nodiscard]] const std::shared_ptr<CompletionQueue>& completions() const noexcept {
    return completions_;
  }
  /// Has `engine` woken at the end of this turn of the loop that `future` belongs to.
  void wake_at_end_of_turn(const std::shared_ptr<EngineObject>& engine,
                           const pybind11::object& future);
  /// The end of the turn.
  void wake_engines();
  /// Completes the futures of all ended requests.
  void deliver();

 private:
  const std::shared_ptr<CompletionQueue> completions_ = std::make_shared<CompletionQueue>();
  std::vector<std::shared_ptr<EngineObject>> to_wake_;
};

}  // namespace inferometer::python
