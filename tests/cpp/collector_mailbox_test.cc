#include "telemetry/record/collector_mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "gated_source.h"

namespace inferometer {
namespace {

constexpr int64_t kPast = 0;

std::shared_ptr<const Collected> values(uint64_t errors) {
  return std::make_shared<const Collected>(Collected{.families = {}, .errors = errors});
}

// By a thread that is not collecting, as the tests' own often is.
CollectorMailbox::Ask scrape_asks(CollectorMailbox& mailbox) {
  CollectorMailbox::Ask ask = 0;
  std::thread([&] { ask = mailbox.ask(); }).join();
  return ask;
}

// Nothing here waits for time. Where a wait must end by itself its deadline is kForever: what does
// not end then hangs the test.
TEST(CollectorMailboxTest, AnswersTheScrapesThatAskedBefore) {
  CollectorMailbox mailbox;
  const auto first = mailbox.ask();
  const auto second = mailbox.ask();
  ASSERT_TRUE(mailbox.wait_for_ask());
  const auto third = scrape_asks(mailbox);
  mailbox.publish(values(1));
  EXPECT_TRUE(mailbox.wait(first, kForever).in_time);
  EXPECT_TRUE(mailbox.wait(second, kForever).in_time);
  const auto old = mailbox.wait(third, kPast);
  EXPECT_FALSE(old.in_time);
  EXPECT_EQ(old.newest->errors, 1U);
  ASSERT_TRUE(mailbox.wait_for_ask());  // for the third
  mailbox.publish(values(2));
  const auto fresh = mailbox.wait(third, kForever);
  EXPECT_TRUE(fresh.in_time);
  EXPECT_EQ(fresh.newest->errors, 2U);
  EXPECT_TRUE(mailbox.close());  // nothing is left to do
}

TEST(CollectorMailboxTest, WithoutAnAnswerThereIsNothingYet) {
  CollectorMailbox mailbox;
  const auto answer = mailbox.wait(mailbox.ask(), kPast);
  EXPECT_FALSE(answer.in_time);
  EXPECT_EQ(answer.newest, nullptr);
}

TEST(CollectorMailboxTest, ACollectionThatWasGivenUpOnIsNotWaitedForAgain) {
  CollectorMailbox mailbox;
  const auto first = mailbox.ask();
  ASSERT_TRUE(mailbox.wait_for_ask());
  EXPECT_FALSE(mailbox.wait(first, kPast).in_time);
  const auto second = scrape_asks(mailbox);
  EXPECT_FALSE(mailbox.wait(second, kForever).in_time);  // returns at once
  mailbox.publish(values(1));
  // It answers again: the next collection is waited for.
  std::thread collector([&] {
    ASSERT_TRUE(mailbox.wait_for_ask());
    mailbox.publish(values(2));
  });
  EXPECT_EQ(mailbox.wait(second, kForever).newest->errors, 2U);
  collector.join();
}

TEST(CollectorMailboxTest, AThreadThatOnlyCameLateIsWaitedFor) {
  CollectorMailbox mailbox;
  EXPECT_FALSE(mailbox.wait(mailbox.ask(), kPast).in_time);  // no collection has begun
  const auto second = mailbox.ask();
  std::thread collector([&] {
    ASSERT_TRUE(mailbox.wait_for_ask());
    mailbox.publish(values(1));
  });
  EXPECT_TRUE(mailbox.wait(second, kForever).in_time);
  collector.join();
}

TEST(CollectorMailboxTest, ACollectorDoesNotWaitForItself) {
  CollectorMailbox mailbox;
  (void)mailbox.ask();
  ASSERT_TRUE(mailbox.wait_for_ask());
  EXPECT_FALSE(mailbox.wait(mailbox.ask(), kForever).in_time);
  mailbox.publish(values(1));
  EXPECT_TRUE(mailbox.close());  // asking itself left nothing to do
}

TEST(CollectorMailboxTest, NorForOneThatWaitsForIt) {
  CollectorMailbox outer;
  CollectorMailbox inner;
  const auto first = outer.ask();
  ASSERT_TRUE(outer.wait_for_ask());
  const auto nested = inner.ask();  // by the outer collector
  std::thread collector([&] {
    ASSERT_TRUE(inner.wait_for_ask());
    EXPECT_FALSE(outer.wait(outer.ask(), kForever).in_time);
    inner.publish(values(1));
  });
  EXPECT_TRUE(inner.wait(nested, kForever).in_time);
  collector.join();
  outer.publish(values(1));
  EXPECT_TRUE(outer.wait(first, kForever).in_time);
  EXPECT_TRUE(outer.close());
}

TEST(CollectorMailboxTest, ClosingEndsAllWaiting) {
  CollectorMailbox mailbox;
  const auto ask = mailbox.ask();
  ASSERT_TRUE(mailbox.wait_for_ask());
  std::thread scrape([&] { EXPECT_FALSE(mailbox.wait(ask, kForever).in_time); });
  EXPECT_FALSE(mailbox.close());  // the collection is still going on
  scrape.join();
  mailbox.publish(values(1));
  EXPECT_FALSE(mailbox.wait_for_ask());
  CollectorMailbox idle;
  std::thread collector([&] { EXPECT_FALSE(idle.wait_for_ask()); });
  EXPECT_TRUE(idle.close());
  collector.join();
}

TEST(CollectorMailboxTest, ManyScrapesShareCollectionsThatBeganAfterTheyAsked) {
  constexpr int kScrapes = 8;
  constexpr int kRounds = 300;
  CollectorMailbox mailbox;
  std::atomic<uint64_t> begun{0};
  std::thread collector([&] {
    while (mailbox.wait_for_ask()) mailbox.publish(values(++begun));
  });
  std::vector<std::thread> scrapes;
  scrapes.reserve(kScrapes);
  for (int i = 0; i < kScrapes; ++i) {
    scrapes.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const uint64_t before = begun;
        const auto answer = mailbox.wait(mailbox.ask(), kForever);
        ASSERT_TRUE(answer.in_time);
        ASSERT_GT(answer.newest->errors, before);
      }
    });
  }
  for (std::thread& scrape : scrapes) scrape.join();
  EXPECT_LE(begun, kScrapes * kRounds);
  mailbox.close();
  collector.join();
}

}  // namespace
}  // namespace inferometer
