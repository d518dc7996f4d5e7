// `_core.Completions`: what an asyncio loop shares with the engines that its tasks call.
#pragma once

#include <pybind11/pybind11.h>

#include <deque>
#include <memory>
#include <vector>

#include "inferometer/completion_queue.h"

namespace inferometer::python {

struct PendingObject;

/// One loop's requests: those in flight, those that have ended, and the engines that got some in
/// this turn of the loop. These are flushed once, when the turn is over: waking a worker costs more
/// than submitting, one turn's requests make one batch, and a fast model runs it right here.
///
/// The loop owns this object, by watching its queue's fd: it goes when the loop is closed or
/// collected, and lets go of what is in flight. Used on the loop's thread, with the GIL.
class LoopObject {
 public:
  PyObject_HEAD

      /// That of the loop that runs on this thread; made at its first request. Borrowed; null if no
      /// loop runs.
      [[nodiscard]] static LoopObject* of_running_loop();

  [[nodiscard]] PyObject* loop() const noexcept { return loop_; }
  [[nodiscard]] const std::shared_ptr<CompletionQueue>& completions() const noexcept {
    return state_->completions;
  }
  /// Has `pending`, whose request was just accepted, completed when that has ended, and `engine` (a
  /// `_core.Engine`) flushed at the end of this turn.
  void submitted(PendingObject* pending, PyObject* engine);

 private:
  friend struct LoopSlots;

  // What is in memory of C++, made by of_running_loop().
  struct State {
    std::shared_ptr<CompletionQueue> completions = std::make_shared<CompletionQueue>();
    std::deque<std::shared_ptr<Request>> ended;  // not delivered yet
    std::vector<pybind11::object> to_flush;      // engines
    PendingObject* in_flight = nullptr;          // a list that owns its members
    bool turn_scheduled = false;
    bool tells_thread = false;  // asyncio::tells_its_thread()
  };

  static LoopObject* make(const pybind11::object& loop);
  void schedule_end_of_turn();
  void end_of_turn();
  void take_completions();
  void flush_engines();
  void deliver();
  void let_go();

  PyObject* loop_;
  State* state_;
};

/// Adds the type to the module.
void bind_completions(pybind11::module_& m);

}  // namespace inferometer::python
