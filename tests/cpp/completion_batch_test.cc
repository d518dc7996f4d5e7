#include "serving/completion_batch.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "inferometer/completion_queue.h"
#include "queued_request.h"

namespace inferometer {
namespace {

TEST(CompletionBatchTest, PushesEachQueueOnceInOrder) {
  const auto first = std::make_shared<CompletionQueue>();
  const auto second = std::make_shared<CompletionQueue>();
  const std::vector<std::shared_ptr<Request>> mixed = {
      make_request_for(first), make_request_for(second), make_request_for(first),
      make_request_for(nullptr), make_request_for(second)};
  CompletionBatch batch;
  for (const auto& request : mixed) batch.add(request);
  EXPECT_EQ(first->wakeups(), 0U);
  batch.deliver();
  batch.deliver();  // nothing is left
  EXPECT_EQ(first->wakeups(), 1U);
  EXPECT_EQ(second->wakeups(), 1U);
  EXPECT_EQ(first->take(), (std::vector{mixed[0], mixed[2]}));
  EXPECT_EQ(second->take(), (std::vector{mixed[1], mixed[4]}));
}

}  // namespace
}  // namespace inferometer
