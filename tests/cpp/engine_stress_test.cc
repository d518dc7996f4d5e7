// Everything at once: callers of every kind against an engine whose model fails, stalls and is
// swapped, whose rules change, and which is drained or closed in the end. Nothing is lost, answered
// twice, miscounted or left behind. INFEROMETER_STRESS=N sets the number of requests.
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine_fixture.h"
#include "inferometer/faults.h"
#include "inferometer/faulty_model.h"
#include "storm_parts.h"

namespace inferometer {
namespace {

constexpr int64_t kRequests = 100'000;
constexpr int kCallers = 32;
constexpr int kLoops = 4;
constexpr size_t kTasks = 48;  // of one loop at a time, about

int64_t requests_wanted() {
  const char* const text = std::getenv("INFEROMETER_STRESS");  // NOLINT(concurrency-mt-unsafe)
  return text == nullptr ? kRequests : std::strtoll(text, nullptr, 10);
}

class Storm {
 public:
  Storm(const World& world, int64_t requests) : world_(world), requests_(requests) {
    EngineOptions options;
    options.name = "m";
    options.batching = rules(0);
    options.caller_runs = world.caller_runs;
    options.registry = registry_;
    engine_ = std::make_unique<Engine>(fresh_model(), options);
  }

  void run() {
    std::vector<std::thread> threads;
    for (int i = 0; i < kCallers; ++i) threads.emplace_back([this, i] { call(i); });
    for (int i = 0; i < kLoops; ++i) threads.emplace_back([this, i] { loop(100 + i); });
    std::thread troublemaker([this] { change(); });
    std::thread scraper([this] {
      while (!over_) (void)registry_->render_text();
    });
    // The end comes while everybody is still at it.
    while (seen_.sent < static_cast<uint64_t>(requests_ - requests_ / 20)) pause();
    faults_->clear();
    if (world_.drained) {
      EXPECT_TRUE(engine_->drain(kLongNs));
      EXPECT_EQ(engine_->stats().queue_depth, 0);
    } else {
      EXPECT_TRUE(engine_->close(kLongNs));
    }
    closing_ = true;
    for (std::thread& thread : threads) thread.join();
    over_ = true;
    troublemaker.join();
    scraper.join();
  }

  void expect_nothing_is_missing() {
    const EngineStats stats = engine_->stats();
    uint64_t counted = 0;
    for (size_t i = 0; i < kOutcomes; ++i) {
      const std::string status(outcome_name(static_cast<Outcome>(i)));
      EXPECT_EQ(stats.requests[i], seen_.outcomes[i]) << status;
      if (world_.drained) {  // a closed engine shows nothing
        const auto shown = registry_->sample_value("inference_requests_total",
                                                   {{"model_name", "m"}, {"status", status}});
        EXPECT_EQ(shown, static_cast<double>(seen_.outcomes[i])) << status;
      }
      counted += stats.requests[i];
      testing::Test::RecordProperty(status, std::to_string(seen_.outcomes[i]));
    }
    for (const auto& [what, count] :
         {std::pair{"lone", &lone_}, {"led", &led_}, {"here", &here_}}) {
      testing::Test::RecordProperty(what, std::to_string(*count));
    }
    EXPECT_EQ(counted + seen_.refused_closed, seen_.sent);
    EXPECT_EQ(seen_.wrong_rows, 0U);
    EXPECT_EQ(stats.queue_depth, 0);
    EXPECT_EQ(stats.in_flight, 0);
    const auto never_accepted = stats.requests[static_cast<size_t>(Outcome::kRejected)] +
                                stats.requests[static_cast<size_t>(Outcome::kInvalid)];
    EXPECT_EQ(stats.latency.count, counted - never_accepted);
    // The storm was one: what it is about has happened.
    for (const Outcome outcome :
         {Outcome::kSuccess, Outcome::kFailure, Outcome::kTimeout, Outcome::kCancelled}) {
      EXPECT_GT(seen_.outcomes[static_cast<size_t>(outcome)], 0U) << outcome_name(outcome);
    }
    if (world_.drained) {
      for (const char* kind : {"out_of_memory", "lost"}) {
        EXPECT_GT(registry_->sample_value("inferometer_device_errors_total",
                                          {{"model_name", "m"}, {"kind", kind}}),
                  0)
            << kind;
      }
    }
    if (world_.caller_runs) {
      EXPECT_GT(lone_, 0U);
      EXPECT_GT(here_, 0U);
      EXPECT_EQ(led_ > 0, !world_.interpreter);
    } else {
      EXPECT_EQ(lone_ + led_ + here_, 0U);
    }
    EXPECT_TRUE(engine_->close(kLongNs));
    engine_.reset();
    const auto left = [](const std::shared_ptr<void>& token) { return token.use_count() - 1; };
    EXPECT_EQ(left(requests_alive_), 0);
    while (left(models_alive_) > 0) std::this_thread::yield();  // a thread on its way out
  }

 private:
  using Random = std::minstd_rand;

  // So that 38 threads that wait for little leave the cores to the others.
  static void pause() { std::this_thread::yield(); }
  static bool one_in(Random& random, unsigned n) { return random() % n == 0; }

  static Batching rules(unsigned round) {
    Batching batching;
    batching.max_batch_size = round % 2 == 0 ? 16 : 8;
    batching.max_queue_delay_ns = round % 3 == 0 ? 0 : 50'000;
    if (round % 4 == 1) batching.preferred_batch_sizes = {4, 8};
    batching.max_queue_size = round % 5 == 2 ? 30 : 400;
    batching.priority_levels = 3;
    if (round % 3 == 1) batching.default_timeout_ns = 20'000'000;
    batching.default_queue_policy.timeout_ns = 2'000'000;
    batching.default_queue_policy.timeout_action =
        round % 2 == 0 ? TimeoutAction::kDelay : TimeoutAction::kReject;
    batching.priority_queue_policy[3] = {.max_queue_size = 60,
                                         .timeout_ns = 200'000,
                                         .timeout_action = TimeoutAction::kDelay,
                                         .allow_timeout_override = true};
    return batching;
  }

  std::vector<std::shared_ptr<Executable>> fresh_model() {
    std::vector<std::shared_ptr<Executable>> instances;
    for (size_t i = 0; i < world_.instances; ++i) {
      instances.push_back(std::make_shared<FaultyModel>(
          std::make_shared<StormModel>(world_.interpreter ? &interpreter_ : nullptr, models_alive_),
          faults_));
    }
    return instances;
  }

  // --- callers ---

  static Rows some_rows(Random& random, int id) {
    // One in 16 is too large to be copied under the engine's lock.
    const int64_t width = one_in(random, 16) ? 400 : 3 + static_cast<int64_t>(random() % 2);
    return Rows(id, 1 + static_cast<int64_t>(random() % 4), width);
  }

  SubmitOptions some_options(Random& random) const {
    SubmitOptions options;
    options.priority = static_cast<int64_t>(random() % 4);
    options.attachment = requests_alive_;
    if (one_in(random, 8)) options.timeout_ns = static_cast<int64_t>(random() % 1'000'000);
    return options;
  }

  std::shared_ptr<Request> submit(const Rows& rows, const SubmitOptions& options) {
    try {
      return engine_->submit(rows.inputs(), options);
    } catch (const QueueFullError&) {
      seen_.count(Outcome::kRejected);
    } catch (const ClosedError&) {
      ++seen_.refused_closed;
    }
    return nullptr;
  }

  void check(const Rows& rows, const Request& request) {
    seen_.count(request.outcome());
    if (request.outcome() == Outcome::kSuccess && !rows.doubled_by(request)) ++seen_.wrong_rows;
  }

  // A blocking call: on this thread, else leading where it is asked; or it gives up.
  void infer(const Rows& rows, SubmitOptions options, Random& random) {
    if (world_.interpreter && one_in(random, 4)) {
      {
        MutexLock lock(interpreter_);
      }  // as a Python thread that gets its turn
    }
    if (world_.caller_runs && (lull() || one_in(random, 2))) {
      SubmitOptions lone = options;
      lone.priority = 0;
      try {
        Answer answer;
        const EndedCall call = engine_->try_run_here(rows.inputs(), answer, lone);
        if (call.ran) {
          ++lone_;
          seen_.count(call.outcome);
          if (call.outcome == Outcome::kSuccess && !answer.doubles(rows)) ++seen_.wrong_rows;
          return;
        }
      } catch (const ClosedError&) {
        ++seen_.refused_closed;
        return;
      }
    }
    options.caller_waits = true;
    const auto request = submit(rows, options);
    if (!request) return;
    const int64_t patience = one_in(random, 16)
                                 ? request->arrival_ns() + static_cast<int64_t>(random() % 500'000)
                                 : kNever;
    for (;;) {
      const Request::WaitStatus status = request->wait(patience);
      if (status == Request::WaitStatus::kEnded) break;
      if (status == Request::WaitStatus::kLead) {
        ++led_;
        engine_->lead(request);
      } else {
        (void)engine_->cancel(request, one_in(random, 2));
        // As a caller that gives up: it is not there to be asked any more.
        while (!request->ended()) pause();
        break;
      }
    }
    check(rows, *request);
  }

  // Now and then all but one caller are silent, so that it finds the engine idle.
  [[nodiscard]] bool lull() const { return seen_.sent % 2000 >= 1900 && !closing_; }

  void call(int seed) {
    Random random(static_cast<unsigned>(seed) + 1);
    for (;;) {
      while (seed != 0 && lull()) pause();
      const std::optional<int> id = next_id();
      if (!id) return;
      const Rows rows = some_rows(random, *id % 100'000);
      SubmitOptions options = some_options(random);
      if (one_in(random, 2) || (seed == 0 && lull())) {
        infer(rows, options, random);
        continue;
      }
      const auto request = submit(rows, options);
      if (!request) {
        pause();
        continue;
      }
      if (one_in(random, 8)) {
        while (one_in(random, 2) && !request->running() && !request->ended()) pause();
        (void)engine_->cancel(request, one_in(random, 2));
      }
      while (request->wait() != Request::WaitStatus::kEnded) {
      }
      check(rows, *request);
    }
  }

  // --- event loops ---

  struct Task {
    std::shared_ptr<Request> request;
    Rows rows;
  };

  void loop(int seed) {
    Random random(static_cast<unsigned>(seed) + 1);
    const auto completions = std::make_shared<CompletionQueue>();
    std::vector<Task> tasks;
    bool more_to_do = false;
    // Who was told that there is more to do owes the others a flush, whatever becomes of its own.
    for (bool done = false; !done || !tasks.empty() || more_to_do;) {
      // A turn: new requests, a few cancellations, the flush, then whatever has ended.
      std::vector<std::shared_ptr<Request>> ended;
      while (tasks.empty() && !more_to_do && lull()) pause();
      unsigned fresh = tasks.size() < kTasks && !lull() ? random() % 12 : 0;
      while (fresh-- > 0) {
        const std::optional<int> id = next_id();
        done = !id;
        if (done) break;
        Rows rows = some_rows(random, *id % 100'000);
        SubmitOptions options = some_options(random);
        options.completions = completions;
        options.flush_later = true;
        auto request = submit(rows, options);
        if (!request) break;
        if (one_in(random, 10)) (void)engine_->cancel(request, true);
        tasks.push_back({std::move(request), std::move(rows)});
      }
      more_to_do = engine_->flush(*completions, ended, 100'000) == FlushStatus::kMoreToDo;
      here_ += ended.size();
      if (!tasks.empty() && ended.empty()) {
        pollfd readable{completions->fd(), POLLIN, 0};
        const bool sleeps = !more_to_do && (done || tasks.size() >= kTasks || one_in(random, 4));
        (void)poll(&readable, 1, sleeps ? -1 : 0);
      }
      for (auto& request : completions->take()) ended.push_back(std::move(request));
      for (const auto& request : ended) {
        const auto task = std::ranges::find(tasks, request, &Task::request);
        ASSERT_NE(task, tasks.end()) << "answered twice, or never asked";
        check(task->rows, *request);
        std::swap(*task, tasks.back());
        tasks.pop_back();
      }
    }
  }

  // --- trouble ---

  void change() {
    Random random(7);
    for (unsigned round = 1; !over_; ++round) {
      const uint64_t before = seen_.sent;
      if (!closing_) {
        if (one_in(random, 2)) engine_->reconfigure(rules(round));
        if (one_in(random, 4)) engine_->swap(fresh_model());
        if (one_in(random, 3)) faults_->add({.kind = FaultKind::kError, .ratio = 0.1});
        if (one_in(random, 3)) faults_->add({.kind = FaultKind::kPartial, .ratio = 0.1});
        if (one_in(random, 6)) faults_->add({.kind = FaultKind::kDelay, .seconds = 5e-5});
        if (one_in(random, 12)) faults_->add({.kind = FaultKind::kStall});
      }
      // Stalls are cleared by the turn of events, not by a clock.
      for (int i = 0; i < 200 && seen_.sent < before + 200 && !over_; ++i) pause();
      faults_->clear();
      while (seen_.sent < before + 200 && !closing_ && !over_) pause();
    }
  }

  std::optional<int> next_id() {
    const uint64_t id = seen_.sent.fetch_add(1);
    if (id < static_cast<uint64_t>(requests_)) return static_cast<int>(id);
    --seen_.sent;
    return {};
  }

  const World world_;
  const int64_t requests_;
  const std::shared_ptr<Registry> registry_ = Registry::create();
  const std::shared_ptr<Faults> faults_ = std::make_shared<Faults>(1);
  const std::shared_ptr<void> requests_alive_ = std::make_shared<int>();
  const std::shared_ptr<void> models_alive_ = std::make_shared<int>();
  Mutex interpreter_;
  std::unique_ptr<Engine> engine_;
  Seen seen_;
  std::atomic<uint64_t> lone_{0}, led_{0}, here_{0};  // calls on callers' threads, by kind
  std::atomic<bool> closing_{false};
  std::atomic<bool> over_{false};
};

class EngineStressTest : public testing::TestWithParam<World> {};

constexpr std::array<World, 4> kWorlds = {{
    {"OneNativeInstanceDrained", 1, false, true, true},
    {"FourNativeInstancesClosed", 4, false, true, false},
    {"TwoInterpretersDrained", 2, true, true, true},
    {"ThreeInstancesWorkersAlone", 3, false, false, false},
}};

TEST_P(EngineStressTest, EveryRequestEndsOnceAndIsCountedOnce) {
  Storm storm(GetParam(), requests_wanted() / static_cast<int64_t>(kWorlds.size()));
  storm.run();
  storm.expect_nothing_is_missing();
}

INSTANTIATE_TEST_SUITE_P(Worlds, EngineStressTest, testing::ValuesIn(kWorlds),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace inferometer
