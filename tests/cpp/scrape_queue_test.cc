#include "exposition/scrape_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <latch>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "inferometer/clock.h"

namespace inferometer {
namespace {

int64_t in_seconds(double seconds) { return steady_clock().now_ns() + seconds_to_ns(seconds); }

// A handler that tells when it was called, and goes on when it is let.
struct GatedHandler {
  [[nodiscard]] ScrapeHandler handler() const {
    return [state = state](const ScrapeRequest& request) {
      state->entered.release();
      state->let.acquire();
      const int call = ++state->calls;
      return Exposition{std::string(request.accept) + "|" + std::string(request.accept_encoding) +
                            "|" + std::to_string(call),
                        "type", ""};
    };
  }
  struct State {
    std::counting_semaphore<> entered{0};
    std::counting_semaphore<> let{0};
    std::atomic<int> calls{0};
  };
  std::shared_ptr<State> state = std::make_shared<State>();
};

TEST(ScrapeQueueTest, ScrapesThatWaitShareTheNextRendering) {
  const GatedHandler gate;
  ScrapeQueue queue(gate.handler(), nullptr);
  Mutex mutex;
  std::vector<std::string> bodies;
  std::latch done(6);
  const auto add = [&](const char* accept, const char* encoding) {
    queue.add(accept, encoding, [&](const std::shared_ptr<const Exposition>& exposition) {
      {
        const MutexLock lock(mutex);
        bodies.push_back(exposition->body);
      }
      done.count_down();
    });
  };
  add("a", "");
  gate.state->entered.acquire();  // its rendering runs: whoever comes now gets a later one
  add("a", "");
  add("b", "gzip");
  add("a", "");
  add("a", "gzip");
  add("b", "gzip");
  gate.state->let.release(4);
  done.wait();
  EXPECT_EQ(bodies,
            (std::vector<std::string>{"a||1", "a||2", "a||2", "b|gzip|3", "b|gzip|3", "a|gzip|4"}));
  EXPECT_EQ(gate.state->calls, 4);
}

TEST(ScrapeQueueTest, AHandlerThatThrowsIsToldAboutAndTheQueueGoesOn) {
  Mutex mutex;
  std::vector<std::string> errors;
  std::atomic<int> calls{0};
  ScrapeQueue queue(
      [&](const ScrapeRequest&) -> Exposition {
        switch (++calls) {
          case 1:
            throw std::runtime_error("no luck");
          case 2:
            throw 42;
          default:
            return {"fine", "", ""};
        }
      },
      [&](const std::string& error) {
        const MutexLock lock(mutex);
        errors.push_back(error);
      });
  for (int i = 0; i < 3; ++i) {
    std::latch done(1);
    queue.add("", "", [&](const std::shared_ptr<const Exposition>& exposition) {
      EXPECT_EQ(exposition != nullptr, i == 2);
      done.count_down();
    });
    done.wait();
  }
  const MutexLock lock(mutex);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[0], "the metrics could not be rendered: no luck");
  EXPECT_NE(errors[1].find("no std::exception"), std::string::npos);
}

TEST(ScrapeQueueTest, StopDropsWhatWaitsAndEndsWhatRuns) {
  const GatedHandler gate;
  const auto held = std::make_shared<int>(0);
  std::atomic<int> called{0};
  ScrapeQueue queue(gate.handler(), nullptr);
  const auto add = [&] {
    queue.add("", "", [held, &called](const std::shared_ptr<const Exposition>&) { ++called; });
  };
  add();
  gate.state->entered.acquire();
  add();
  gate.state->let.release(2);
  queue.stop(in_seconds(30));
  EXPECT_LE(called, 2);
  EXPECT_EQ(held.use_count(), 1);
  const int before = called;
  add();  // after the end: dropped
  queue.stop(in_seconds(30));
  EXPECT_EQ(called, before);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ScrapeQueueTest, AHandlerThatHangsIsLeftBehind) {
  const GatedHandler gate;
  const auto held = std::make_shared<int>(0);
  {
    ScrapeQueue queue(gate.handler(), nullptr);
    queue.add("", "", [held](const std::shared_ptr<const Exposition>&) {
      ADD_FAILURE() << "called after stop()";
    });
    gate.state->entered.acquire();
    queue.stop(steady_clock().now_ns());
    EXPECT_EQ(held.use_count(), 1);
  }
  // It comes back to a queue that is gone, and ends: the last owner of the handler lets it go.
  gate.state->let.release();
  while (gate.state.use_count() > 1) std::this_thread::yield();
  EXPECT_EQ(gate.state->calls, 1);
}

TEST(ScrapeQueueTest, EveryScrapeOfACrowdIsAnsweredOnce) {
  std::atomic<int64_t> version{0};
  ScrapeQueue queue(
      [&](const ScrapeRequest&) { return Exposition{std::to_string(version.load()), "", ""}; },
      nullptr);
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        const int64_t asked_at = ++version;
        std::latch done(1);
        queue.add("", "", [&](const std::shared_ptr<const Exposition>& exposition) {
          EXPECT_GE(std::stoll(exposition->body), asked_at) << "values from before it asked";
          ++answered;
          done.count_down();
        });
        done.wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kEach);
}

}  // namespace
}  // namespace inferometer
