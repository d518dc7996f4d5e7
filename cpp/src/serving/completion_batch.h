// Ended requests on their way to the event loops that wait for them.
#pragma once

#include <memory>
#include <vector>

#include "inferometer/request.h"

namespace inferometer {

/// Collects the ended requests of one batch by completion queue and pushes each queue once, so that
/// a loop wakes once a batch however its requests were mixed with others'. Single-owner.
class CompletionBatch {
 public:
  CompletionBatch() = default;
  /// Requests of `here`, whose loop runs on this thread, are appended to `ended` instead: no
  /// wake-up.
  CompletionBatch(const CompletionQueue* here, std::vector<std::shared_ptr<Request>>* ended)
      : here_(here), ended_(ended) {}

  /// Remembers a request that the caller has ended, and takes its queue from it; one without a
  /// queue needs no delivery.
  void add(const std::shared_ptr<Request>& request);
  /// Pushes what was added. Queues are let go of with this object: the last owner of one destroys
  /// what its loop never took, and with that perhaps the engine, which must not wait for us then.
  void deliver();

 private:
  const CompletionQueue* here_ = nullptr;
  std::vector<std::shared_ptr<Request>>* ended_ = nullptr;
  struct Group {
    std::shared_ptr<CompletionQueue> queue;
    std::vector<std::shared_ptr<Request>> ended;
  };
  std::vector<Group> groups_;  // few: one a loop
};

}  // namespace inferometer
