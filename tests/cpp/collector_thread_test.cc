#include "telemetry/record/collector_thread.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "gated_source.h"

namespace inferometer {
namespace {

class BrokenSource final : public FamilySource {
 public:
  [[nodiscard]] Collected collect() override { throw std::runtime_error("broken"); }
};

CollectorMailbox::Answer asked(CollectorThread& thread) {
  return thread.mailbox().wait(thread.mailbox().ask(), kForever);
}

TEST(CollectorThreadTest, CollectsOnceForEachAsking) {
  const auto source = std::make_shared<GatedSource>("g", 2);
  CollectorThread thread(source, kAwaited);
  EXPECT_EQ(asked(thread).newest->families[0].series[0].value, 1);
  EXPECT_EQ(asked(thread).newest->families[0].series[0].value, 2);
  EXPECT_EQ(source->begun(), 2);
}

TEST(CollectorThreadTest, WhatThrowsIsAnError) {
  CollectorThread thread(std::make_shared<BrokenSource>(), kAwaited);
  for (int round = 0; round < 2; ++round) {
    const auto answer = asked(thread);
    EXPECT_TRUE(answer.in_time);
    EXPECT_EQ(answer.newest->errors, 1U);
    EXPECT_TRUE(answer.newest->families.empty());
  }
}

TEST(CollectorThreadTest, AnIdleOneEndsWithItsOwner) {
  auto source = std::make_shared<GatedSource>("g", 1);
  const std::weak_ptr<GatedSource> held = source;
  {
    CollectorThread thread(std::move(source), kAwaited);
    (void)asked(thread);
  }
  EXPECT_TRUE(held.expired());
}

TEST(CollectorThreadTest, AHangingOneEndsWhenItCan) {
  auto source = std::make_shared<GatedSource>("g");
  const std::weak_ptr<GatedSource> held = source;
  {
    CollectorThread thread(source, kAwaited);
    (void)thread.mailbox().ask();
    source->await_call(1);
  }
  source->permit();
  source.reset();
  while (!held.expired()) std::this_thread::yield();
}

}  // namespace
}  // namespace inferometer
