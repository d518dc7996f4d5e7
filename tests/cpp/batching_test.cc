#include "inferometer/batching.h"

#include <gtest/gtest.h>

#include <string>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::string complaint(const Batching& batching) {
  try {
    batching.check();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(BatchingTest, DefaultsAreFine) { EXPECT_EQ(complaint({}), ""); }

TEST(BatchingTest, SaysWhichFieldAndWhatWasWanted) {
  Batching rows;
  rows.max_batch_size = 0;
  EXPECT_EQ(complaint(rows), "max_batch_size: got 0, want 1 to 1048576");
  Batching queue;
  queue.max_queue_size = -3;
  EXPECT_EQ(complaint(queue), "max_queue_size: got -3, want 1 to 16777216");
  Batching delay;
  delay.max_queue_delay_ns = -1;
  EXPECT_NE(complaint(delay).find("max_queue_delay"), std::string::npos);
  Batching timeout;
  timeout.default_timeout_ns = 0;
  EXPECT_NE(complaint(timeout).find("default_timeout"), std::string::npos);
}

}  // namespace
}  // namespace inferometer
