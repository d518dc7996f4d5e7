#include "telemetry/record/collectors.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "gated_source.h"

namespace inferometer {
namespace {

// The source that is registered under its own address.
void add(Collectors& collectors, const std::shared_ptr<FamilySource>& source,
         CollectorOptions options) {
  collectors.add(std::make_unique<Collector>(source.get(), source, options));
}

Merged collect_all(Collectors& collectors) { return collect(collectors.threads(true)); }

std::optional<double> value_of(Merged& merged, const std::string& name) {
  const auto family = merged.families.take(name);
  if (!family) return std::nullopt;
  return family->series[0].value;
}

TEST(CollectorsTest, NobodyIsAskedWithoutCollectors) {
  Collectors none;
  const Merged merged = collect_all(none);
  EXPECT_EQ(merged.errors, 0U);
  EXPECT_FALSE(merged.stale);
  EXPECT_FALSE(none.may_be_stale());
}

TEST(CollectorsTest, OneThatHangsIsLeftOutAndCountedAndTheRestIsServed) {
  Collectors collectors;
  const auto hanging = std::make_shared<GatedSource>("hanging");
  const auto good = std::make_shared<GatedSource>("good", 3);
  add(collectors, hanging, kLeftOutAtOnce);
  add(collectors, good, kAwaited);
  for (int scrape = 1; scrape <= 3; ++scrape) {
    Merged merged = collect_all(collectors);
    EXPECT_EQ(merged.errors, 1U);
    EXPECT_FALSE(merged.stale);
    EXPECT_EQ(value_of(merged, "hanging"), std::nullopt);
    EXPECT_EQ(value_of(merged, "good"), scrape);
  }
  EXPECT_LE(hanging->begun(), 1);  // never called again while it hangs
  hanging->permit(2);
}

TEST(CollectorsTest, OneThatWasLateIsShownOnceItAnswersAgain) {
  Collectors collectors;
  const auto source = std::make_shared<GatedSource>("g");
  add(collectors, source, kAwaited);
  const auto threads = collectors.threads(true);
  ASSERT_FALSE(threads[0]->mailbox().wait(threads[0]->mailbox().ask(), 0).in_time);
  source->permit(2);  // one for the call that was given up on
  source->await_call(1);
  while (!threads[0]->mailbox().wait(1, 0).in_time) std::this_thread::yield();
  Merged merged = collect(threads);
  EXPECT_EQ(merged.errors, 0U);
  EXPECT_EQ(value_of(merged, "g"), 2);
}

TEST(CollectorsTest, LastValuesStandInWhereThatIsWanted) {
  Collectors collectors;
  const auto source = std::make_shared<GatedSource>("g");
  add(collectors, source, kShownAtOnce);
  EXPECT_TRUE(collectors.may_be_stale());
  Merged none = collect_all(collectors);
  EXPECT_EQ(value_of(none, "g"), std::nullopt);
  EXPECT_TRUE(none.stale);
  source->permit();
  CollectorMailbox& mailbox = collectors.threads(true)[0]->mailbox();
  while (mailbox.wait(1, 0).newest == nullptr) std::this_thread::yield();
  Merged last = collect_all(collectors);  // there is no permit for another call
  EXPECT_EQ(value_of(last, "g"), 1);
  EXPECT_TRUE(last.stale);
  EXPECT_EQ(last.errors, 0U);
  // They are not asked where they are not wanted.
  EXPECT_TRUE(collectors.threads(false).empty());
  source->permit(2);
}

TEST(CollectorsTest, TheOrderIsThatOfRegistrationNotOfAnswers) {
  class Named final : public FamilySource {
   public:
    Named(double value, std::function<void()> before) : value_(value), before_(std::move(before)) {}
    [[nodiscard]] Collected collect() override {
      before_();
      return one_gauge("same", value_);
    }

   private:
    const double value_;
    const std::function<void()> before_;
  };
  Collectors collectors;
  std::binary_semaphore second_was_called(0);
  add(collectors, std::make_shared<Named>(1, [&] { second_was_called.acquire(); }), kAwaited);
  add(collectors, std::make_shared<Named>(2, [&] { second_was_called.release(); }), kAwaited);
  Merged merged = collect_all(collectors);  // hangs unless both are asked before one is awaited
  EXPECT_EQ(merged.families.dropped(), 1U);
  EXPECT_EQ(value_of(merged, "same"), 1);
}

TEST(CollectorsTest, ManyScrapesAtOnceNeverCallOneTwiceAtOnce) {
  constexpr int kScrapes = 6;
  constexpr int kRounds = 100;
  const auto first = std::make_shared<GatedSource>("a", kScrapes * kRounds);
  const auto second = std::make_shared<GatedSource>("b", kScrapes * kRounds);
  Collectors collectors;
  add(collectors, first, kAwaited);
  add(collectors, second, kAwaited);
  const auto threads = collectors.threads(true);
  std::vector<std::thread> scrapes;
  scrapes.reserve(kScrapes);
  for (int i = 0; i < kScrapes; ++i) {
    scrapes.emplace_back([&] {
      for (int round = 0; round < kRounds; ++round) {
        const int before = first->begun();
        Merged merged = collect(threads);
        ASSERT_GT(value_of(merged, "a").value_or(0), before);
        ASSERT_TRUE(value_of(merged, "b"));
      }
    });
  }
  for (std::thread& scrape : scrapes) scrape.join();
  EXPECT_EQ(first->overlapping() + second->overlapping(), 0);
}

TEST(CollectorsTest, RemovingDoesNotWaitForOneThatHangs) {
  Collectors collectors;
  const auto hanging = std::make_shared<GatedSource>("hanging");
  add(collectors, hanging, kLeftOutAtOnce);
  EXPECT_EQ(collect_all(collectors).errors, 1U);
  hanging->await_call(1);
  EXPECT_TRUE(collectors.remove(&collectors).empty());  // nobody's key
  EXPECT_EQ(collectors.remove(hanging.get()).size(), 1U);
  EXPECT_EQ(collect_all(collectors).errors, 0U);
  hanging->permit();
}

TEST(CollectorsTest, WithoutRoomForAThreadTheCollectorCountsAsFailed) {
  Collectors collectors;
  add(collectors, std::make_shared<GatedSource>("g", 1), kAwaited);
  pthread_attr_t usual;
  pthread_attr_t huge;
  ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
  ASSERT_EQ(pthread_attr_init(&huge), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&huge, size_t{1} << 50), 0);
  ASSERT_EQ(pthread_setattr_default_np(&huge), 0);
  Merged without = collect_all(collectors);
  ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
  pthread_attr_destroy(&usual);
  pthread_attr_destroy(&huge);
  EXPECT_EQ(without.errors, 1U);
  EXPECT_FALSE(without.stale);
  Merged with = collect_all(collectors);
  EXPECT_EQ(with.errors, 0U);
  EXPECT_EQ(value_of(with, "g"), 1);
}

// The exit status of a child that runs `body`; a child that hangs is ended by its alarm.
template <typename Body>
int exit_status_of_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body());
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(CollectorsTest, AForkedChildMakesItsOwnThreads) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizers' own locks are not held over fork(): a child of a process with "
                  "threads may start none (ThreadSanitizer) or may hang in it (AddressSanitizer)";
#endif
  auto collectors = std::make_unique<Collectors>();
  const auto idle = std::make_shared<GatedSource>("idle", 1);
  const auto hanging = std::make_shared<GatedSource>("hanging");
  add(*collectors, idle, kAwaited);
  add(*collectors, hanging, kLeftOutAtOnce);
  EXPECT_EQ(collect_all(*collectors).errors, 1U);
  hanging->await_call(1);
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(exit_status_of_child([&] {
                idle->permit();
                hanging->permit();
                CollectorMailbox& mailbox = collectors->threads(true)[1]->mailbox();
                const bool answers = mailbox.wait(mailbox.ask(), kForever).in_time;
                Merged merged = collect_all(*collectors);
                const bool good = answers && value_of(merged, "idle") == 2;
                collectors.reset();  // waits for threads of the child only
                return good ? 0 : 1;
              }),
              0);
    EXPECT_EQ(exit_status_of_child([&] {
                collectors.reset();  // of which this process never had a thread
                return 0;
              }),
              0);
  }
  idle->permit();
  Merged merged = collect_all(*collectors);
  EXPECT_EQ(value_of(merged, "idle"), 2);
  hanging->permit(2);
}

}  // namespace
}  // namespace inferometer
