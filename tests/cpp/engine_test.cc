#include "inferometer/engine.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine_fixture.h"
#include "inferometer/completion_queue.h"

namespace inferometer {
namespace {

class EngineTest : public EngineFixture {
 protected:
  // What making an engine of these options throws; afterwards the name is free.
  std::string complaint(const EngineOptions& options, std::shared_ptr<Executable> model) {
    try {
      const Engine engine(std::move(model), options);
    } catch (const ConfigError& error) {
      (void)make(std::make_shared<EchoModel>());
      return error.what();
    }
    return "";
  }
};

TEST_F(EngineTest, RefusesBadOptionsAndLeavesTheNameFree) {
  const auto model = std::make_shared<EchoModel>();
  const auto knows =
      std::make_shared<EchoModel>(std::vector<TensorSpec>{{"x", DType::kFloat32, Shape({-1, 4})}});
  const EngineOptions good = options_of(registry_);
  EXPECT_EQ(complaint(good, nullptr), "model: got null, want a model");
  EngineOptions bad = good;
  bad.name = "";
  EXPECT_EQ(complaint(bad, model), "name: got an empty name, want a name");
  bad = good;
  bad.version = "";
  EXPECT_EQ(complaint(bad, model), "version: got an empty version, want one");
  bad = good;
  bad.latency_objective_ns = 0;
  EXPECT_EQ(complaint(bad, model), "latency_objective: got 0 ns, want more than 0, or none");
  bad = good;
  bad.batching.max_batch_size = 0;
  EXPECT_EQ(complaint(bad, model), "max_batch_size: got 0, want 1 to 1048576");
  bad = good;
  bad.inputs = {{"x", DType::kFloat32, Shape({-1, 4})}};
  EXPECT_EQ(complaint(bad, knows), "inputs: got specs for a model that knows its own, want none");
  EXPECT_EQ(complaint(bad, model), "");
  bad.inputs = {{"x", DType::kFloat32, Shape()}};
  EXPECT_EQ(complaint(bad, model), "input 'x': got shape (), want rows first: (-1, ...)");
}

TEST_F(EngineTest, TellsWhatItIs) {
  const auto engine = make(std::make_shared<EchoModel>());
  EXPECT_EQ(engine->name(), "m");
  EXPECT_EQ(engine->version(), "1");
  EXPECT_EQ(engine->batching().max_batch_size, 64);
  EXPECT_TRUE(engine->ready());
  EXPECT_FALSE(engine->closed());
  EXPECT_TRUE(engine->close());
  EXPECT_FALSE(engine->ready());
}

TEST_F(EngineTest, OneLiveEngineOfANameAndVersion) {
  auto first = make(std::make_shared<EchoModel>());
  (void)first->submit(Rows(1).inputs())->wait();
  EXPECT_THROW((void)make(std::make_shared<EchoModel>()), ConfigError);
  EXPECT_EQ(ended("success"), 1);
  Engine second(std::make_shared<EchoModel>(), options_of(registry_, {}, "2"));
  (void)second.submit(Rows(1).inputs())->wait();
  EXPECT_EQ(ended("success"), 2);
  first->close();
  EXPECT_EQ(ended("success"), 2);  // counters do not fall
  EXPECT_EQ(second.stats().requests[0], 1U);
  first = make(std::make_shared<EchoModel>());  // the name is free again
  first.reset();
  second.close();
  EXPECT_EQ(registry_->render_text().find("inference_"), std::string::npos);
}

TEST_F(EngineTest, ALoopWakesOnceABatch) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = make(model);
  const auto busy = engine->submit(Rows(0).inputs());
  model->await_runs(1);
  const std::array queues = {std::make_shared<CompletionQueue>(),
                             std::make_shared<CompletionQueue>()};
  std::array<std::vector<std::shared_ptr<Request>>, 2> sent;
  for (int id = 0; id < 20; ++id) {
    const size_t to = id % 3 == 0 ? 0 : 1;
    SubmitOptions options;
    options.completions = queues[to];
    sent[to].push_back(engine->submit(Rows(id).inputs(), options));
  }
  model->open();
  for (size_t i = 0; i < 2; ++i) {
    pollfd poll_fd{queues[i]->fd(), POLLIN, 0};
    ASSERT_EQ(poll(&poll_fd, 1, -1), 1);
    EXPECT_EQ(queues[i]->take(), sent[i]);
    EXPECT_EQ(poll(&poll_fd, 1, 0), 0);
    EXPECT_EQ(queues[i]->wakeups(), 1U);
    for (const auto& request : sent[i]) EXPECT_EQ(request->outcome(), Outcome::kSuccess);
  }
}

TEST_F(EngineTest, ObjectsAreAnsweredAndLetGoHoweverTheirRequestsEnd) {
  std::atomic<int> released{0};
  const auto object = [&] {
    return std::shared_ptr<void>(new int(1), [&](void* pointer) {
      delete static_cast<int*>(pointer);
      ++released;
    });
  };
  auto engine = make(std::make_shared<ObjectModel>());
  {
    const auto sent = object();
    const auto request = engine->submit_object(sent);
    (void)request->wait();
    EXPECT_EQ(request->outcome(), Outcome::kSuccess);
    EXPECT_EQ(request->result_object(), sent);
  }
  EXPECT_EQ(engine->submit_object(object(), with_timeout(0))->wait(), Request::WaitStatus::kEnded);
  const auto nothing = engine->submit_object(nullptr);  // answered with null: not an answer
  (void)nothing->wait();
  EXPECT_EQ(nothing->outcome(), Outcome::kFailure);
  engine.reset();
  EXPECT_EQ(released, 2);

  const auto failure = std::make_exception_ptr(std::runtime_error("no"));
  engine = make(std::make_shared<ObjectModel>(failure));
  (void)engine->submit_object(object())->wait();
  engine.reset();
  EXPECT_EQ(released, 3);

  Batching waiting;
  waiting.max_queue_delay_ns = 3600 * kNanosPerSecond;
  engine = make(std::make_shared<ObjectModel>(), waiting);
  EXPECT_TRUE(engine->cancel(engine->submit_object(object()), false));
  EXPECT_EQ(released, 4);
  (void)engine->submit_object(object());
  engine.reset();  // with work queued
  EXPECT_EQ(released, 5);
}

TEST_F(EngineTest, AForkedChildIsToldAndTheParentGoesOn) {
  const auto model = std::make_shared<GatedModel>();
  auto engine = make(model);
  const auto busy = engine->submit(Rows(1).inputs());
  model->await_runs(1);
  const auto queued = engine->submit(Rows(2).inputs(), with_timeout(kLongNs));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(60);  // a child that hangs is ended by it, which fails the test
    const auto refused = [](const auto& call) {
      try {
        call();
      } catch (const ClosedError&) {
        return true;
      }
      return false;
    };
    const bool right = refused([&] { (void)engine->submit(Rows(3).inputs()); }) &&
                       refused([&] { (void)engine->submit_object(nullptr); }) &&
                       refused([&] { (void)engine->drain(0); }) &&
                       refused([&] { (void)engine->stats(); }) &&
                       refused([&] { (void)engine->outputs(); }) && !engine->ready() &&
                       !engine->cancel(queued, true) && engine->close();
    engine.reset();
    _exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  model->open();
  EXPECT_EQ(queued->wait(), Request::WaitStatus::kEnded);
  EXPECT_TRUE(Rows(2).doubled_by(*queued));
}

// Many threads submit, cancel and let expire while one closes: each accepted request ends once, and
// callers, engine and registry agree on every number.
TEST_F(EngineTest, EveryRequestEndsOnceInAStorm) {
  constexpr int kThreads = 4;
  constexpr int kEach = 600;
  const Engine keeps_series(std::make_shared<EchoModel>(), options_of(registry_, {}, "2"));
  Batching batching;
  batching.max_batch_size = 8;
  batching.max_queue_size = 12;
  const auto engine = make(std::make_shared<EchoModel>(), batching);
  const auto completions = std::make_shared<CompletionQueue>();
  std::array<std::atomic<uint64_t>, kOutcomes> seen{};
  std::atomic<int> attempts{0};
  std::atomic<uint64_t> accepted{0};
  std::atomic<size_t> pushed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::shared_ptr<Request>> mine;
      for (int i = 0; i < kEach; ++i) {
        const Rows rows(i, 1 + i % 3);
        ++attempts;
        SubmitOptions options;
        if (i % 4 == 0) options.timeout_ns = 1000 * (i % 50);
        if (i % 3 == 0) options.completions = completions;
        try {
          mine.push_back(engine->submit(rows.inputs(), options));
        } catch (const QueueFullError&) {
          ++seen[static_cast<size_t>(Outcome::kRejected)];
          if (!mine.empty()) (void)mine.back()->wait();
          continue;
        } catch (const ClosedError&) {
          break;
        }
        ++accepted;
        if (options.completions) ++pushed;
        if (i % 5 == 0) (void)engine->cancel(mine.back(), i % 2 == 0);
        if (i % 7 == t) (void)mine.back()->wait();
      }
      for (const auto& request : mine) {
        EXPECT_EQ(request->wait(), Request::WaitStatus::kEnded);
        ++seen[static_cast<size_t>(request->outcome())];
      }
    });
  }
  threads.emplace_back([&] {
    while (attempts < kThreads * kEach / 2) std::this_thread::yield();
    engine->close(kLongNs);
  });
  for (std::thread& thread : threads) thread.join();
  const EngineStats stats = engine->stats();
  uint64_t total = 0;
  for (size_t i = 0; i < kOutcomes; ++i) {
    const std::string status(outcome_name(static_cast<Outcome>(i)));
    EXPECT_EQ(stats.requests[i], seen[i]) << status;
    EXPECT_EQ(ended(status), static_cast<double>(seen[i])) << status;
    if (i != static_cast<size_t>(Outcome::kRejected)) total += seen[i];
  }
  EXPECT_EQ(total, accepted);
  EXPECT_EQ(stats.latency.count, total);
  EXPECT_EQ(value("inference_latency_seconds_count"), static_cast<double>(total));
  EXPECT_EQ(value("inference_latency_seconds_bucket", {{"le", "+Inf"}}),
            static_cast<double>(total));
  EXPECT_EQ(stats.queue_depth, 0);
  EXPECT_EQ(stats.in_flight, 0);
  EXPECT_EQ(completions->take().size(), pushed);
}

}  // namespace
}  // namespace inferometer
