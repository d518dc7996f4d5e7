#include "serving/completion_batch.h"

#include <algorithm>
#include <utility>

#include "inferometer/completion_queue.h"

namespace inferometer {

void CompletionBatch::add(const std::shared_ptr<Request>& request) {
  const std::shared_ptr<CompletionQueue> queue = std::move(request->completions_);
  if (!queue) return;
  if (queue.get() == here_) {
    ended_->push_back(request);
    return;
  }
  auto group = std::ranges::find(groups_, queue, &Group::queue);
  if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{queue, {}});
  group->ended.push_back(request);
}

void CompletionBatch::deliver() {
  for (Group& group : groups_) group.queue->push(std::exchange(group.ended, {}));
}

}  // namespace inferometer
