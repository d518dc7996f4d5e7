#include "inferometer/faults.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "inferometer/errors.h"
#include "stopped_clock.h"

namespace inferometer {
namespace {

Fault delay(double seconds) { return {.kind = FaultKind::kDelay, .seconds = seconds}; }
Fault error(double ratio) { return {.kind = FaultKind::kError, .ratio = ratio}; }
Fault partial(double ratio) { return {.kind = FaultKind::kPartial, .ratio = ratio}; }
Fault stall() { return {.kind = FaultKind::kStall}; }
Fault within(Fault fault, double start_after, std::optional<double> duration) {
  fault.start_after_seconds = start_after;
  fault.duration_seconds = duration;
  return fault;
}

/// A microsecond passes whenever somebody looks. Thread-safe.
class TickingClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override { return now_ns_ += 1'000; }

 private:
  mutable std::atomic<int64_t> now_ns_{0};
};

class FaultsTest : public testing::Test {
 protected:
  void advance(double seconds) { clock_.advance(seconds_to_ns(seconds)); }
  // Which of `batches` batches fail.
  static std::string errors(Faults& faults, int batches) {
    std::string text;
    for (int i = 0; i < batches; ++i) text += faults.begin_batch(1).error_ratio ? 'x' : '.';
    return text;
  }
  // Which requests fail in batches of these sizes.
  static std::string failures(Faults& faults, const std::vector<size_t>& batches) {
    std::string text;
    for (const size_t requests : batches) {
      std::string batch(requests, '.');
      for (const auto& failed : faults.begin_batch(requests).failed) batch[failed.request] = 'x';
      text += batch;
    }
    return text;
  }
  static double failed(const std::string& drawn) {
    return static_cast<double>(std::count(drawn.begin(), drawn.end(), 'x'));
  }
  static std::string refusal(const Fault& fault) {
    Faults faults;
    try {
      faults.add(fault);
    } catch (const ConfigError& error) {
      EXPECT_TRUE(faults.quiet());
      return error.what();
    }
    return "";
  }
  uint64_t injected(FaultKind kind) const { return faults_.injected()[static_cast<size_t>(kind)]; }

  StoppedClock clock_{1'000};
  Faults faults_{7, &clock_};
  const std::atomic<bool> go_on_{false};
};

TEST_F(FaultsTest, WithoutFaultsThereIsNothing) {
  EXPECT_TRUE(faults_.quiet());
  EXPECT_FALSE(faults_.may_hold());
  const BatchFaults batch = faults_.begin_batch(3);
  EXPECT_EQ(batch.delay_ns, 0);
  EXPECT_FALSE(batch.stalled || batch.error_ratio || !batch.failed.empty());
  EXPECT_TRUE(faults_.active().empty());
}

TEST_F(FaultsTest, AFaultKeepsToItsSchedule) {
  faults_.add(within(error(1), 10, 5));
  EXPECT_TRUE(faults_.quiet());
  EXPECT_EQ(errors(faults_, 2), "..");
  EXPECT_TRUE(faults_.active().empty());
  advance(9.999);
  EXPECT_TRUE(faults_.quiet());
  advance(0.001);
  EXPECT_FALSE(faults_.quiet());
  EXPECT_EQ(errors(faults_, 2), "xx");
  ASSERT_EQ(faults_.active().size(), 1U);
  EXPECT_EQ(faults_.active()[0].fault.kind, FaultKind::kError);
  EXPECT_DOUBLE_EQ(faults_.active()[0].ends_in_seconds.value_or(-1), 5);
  advance(4.999);
  EXPECT_EQ(errors(faults_, 1), "x");
  advance(0.001);
  EXPECT_TRUE(faults_.active().empty());
  EXPECT_EQ(errors(faults_, 2), "..");
  EXPECT_TRUE(faults_.quiet());
  EXPECT_EQ(injected(FaultKind::kError), 3U);
}

TEST_F(FaultsTest, AFaultWithoutADurationLastsUntilItIsCleared) {
  faults_.add(error(1));
  advance(1e8);
  EXPECT_EQ(errors(faults_, 1), "x");
  EXPECT_FALSE(faults_.active()[0].ends_in_seconds.has_value());
  faults_.clear();
  EXPECT_EQ(errors(faults_, 1), ".");
  EXPECT_TRUE(faults_.quiet());
}

TEST_F(FaultsTest, AnEndedFaultDoesNotHideAScheduledOne) {
  faults_.add(within(error(1), 0, 1));
  faults_.add(within(error(1), 2, 1));
  EXPECT_EQ(errors(faults_, 1), "x");
  advance(1.5);
  EXPECT_EQ(errors(faults_, 1), ".");
  advance(1);
  EXPECT_FALSE(faults_.quiet());
  EXPECT_EQ(errors(faults_, 1), "x");
}

TEST_F(FaultsTest, OverlappingFaultsAddUp) {
  faults_.add(within(delay(0.5), 0, 10));
  faults_.add(within(delay(0.25), 5, 10));
  faults_.add(within(error(1), 5, 1));
  EXPECT_EQ(faults_.begin_batch(1).delay_ns, 500'000'000);
  advance(5);
  const BatchFaults both = faults_.begin_batch(1);
  EXPECT_EQ(both.delay_ns, 750'000'000);
  EXPECT_EQ(both.error_ratio, 1);
  EXPECT_EQ(faults_.active().size(), 3U);
  advance(5);
  EXPECT_EQ(faults_.begin_batch(1).delay_ns, 250'000'000);
  EXPECT_EQ(injected(FaultKind::kDelay), 3U);
}

TEST_F(FaultsTest, ASeedFixesEveryDraw) {
  Faults same(7, &clock_);
  Faults other(8, &clock_);
  for (Faults* faults : {&faults_, &same, &other}) faults->add(error(0.5));
  const std::string drawn = errors(faults_, 200);
  EXPECT_EQ(errors(same, 200), drawn);
  EXPECT_NE(errors(other, 200), drawn);
  EXPECT_EQ(drawn.substr(0, 16), ".x.x...x..xx.x..");  // on every machine
}

TEST_F(FaultsTest, WithoutASeedEveryObjectDrawsDifferently) {
  Faults first;
  Faults second;
  for (Faults* faults : {&first, &second}) faults->add(error(0.5));
  EXPECT_NE(errors(first, 200), errors(second, 200));
}

TEST_F(FaultsTest, FaultsDoNotChangeEachOthersDraws) {
  Faults alone(7, &clock_);
  faults_.add(error(0.5));
  alone.add(error(0.5));
  faults_.add(partial(0.5));
  faults_.add(error(0));
  faults_.add(delay(1));
  const std::string drawn = errors(faults_, 100);
  EXPECT_EQ(errors(alone, 100), drawn);
  EXPECT_LT(injected(FaultKind::kPartial), 60U);  // not counted where the whole batch failed
}

TEST_F(FaultsTest, ARatioIsTheShareThatFails) {
  faults_.add(error(0.1));
  EXPECT_NEAR(failed(errors(faults_, 10'000)), 1'000, 150);
  faults_.clear();
  faults_.add(partial(0.3));
  EXPECT_NEAR(failed(failures(faults_, std::vector<size_t>(1'000, 10))), 3'000, 250);
  faults_.clear();
  faults_.add(partial(0));
  faults_.add(error(0));
  EXPECT_EQ(failures(faults_, {100}), std::string(100, '.'));
}

TEST_F(FaultsTest, SingleRequestsFailHoweverTheyAreBatched) {
  Faults ones(7, &clock_);
  faults_.add(partial(0.5));
  ones.add(partial(0.5));
  EXPECT_EQ(failures(faults_, {8, 1, 3}), failures(ones, std::vector<size_t>(12, 1)));
  EXPECT_EQ(injected(FaultKind::kPartial), ones.injected()[3]);
  EXPECT_GT(injected(FaultKind::kPartial), 0U);
}

TEST_F(FaultsTest, OneKindCanBeCleared) {
  faults_.add(within(stall(), 100, {}));
  faults_.add(error(1));
  EXPECT_TRUE(faults_.may_hold());
  faults_.clear(FaultKind::kStall);
  EXPECT_FALSE(faults_.may_hold());
  EXPECT_EQ(errors(faults_, 1), "x");
}

TEST_F(FaultsTest, ADelayHoldsForAsLongAsItSays) {
  faults_.add(delay(0.002));
  const BatchFaults batch = faults_.begin_batch(1);
  EXPECT_TRUE(faults_.hold(batch, go_on_));
  EXPECT_GE(steady_clock().now_ns() - batch.begin_ns, 2'000'000);
}

TEST_F(FaultsTest, AStallEndsByTheClockAlone) {
  faults_.add(within(stall(), 0, 0.001));
  const BatchFaults batch = faults_.begin_batch(1);
  EXPECT_TRUE(batch.stalled);
  std::thread held([&] { EXPECT_TRUE(faults_.hold(batch, go_on_)); });
  advance(0.001);
  held.join();
  EXPECT_TRUE(faults_.active().empty());
}

TEST_F(FaultsTest, ABatchIsHeldUntilTheLastStallIsOver) {
  const TickingClock clock;
  Faults faults(7, &clock);
  faults.add(within(stall(), 0, 1e-5));
  faults.add(within(stall(), 0, 3e-5));
  faults.add(within(stall(), 0, 2e-5));
  const BatchFaults batch = faults.begin_batch(1);
  EXPECT_EQ(faults.active().size(), 3U);
  EXPECT_TRUE(faults.hold(batch, go_on_));
  EXPECT_TRUE(faults.active().empty());
}

TEST_F(FaultsTest, ClearingLetsHeldBatchesGo) {
  for (const Fault& fault : {stall(), delay(3600)}) {
    faults_.add(fault);
    const BatchFaults batch = faults_.begin_batch(1);
    std::vector<std::thread> held;
    for (int i = 0; i < 3; ++i) {
      held.emplace_back([&] { EXPECT_TRUE(faults_.hold(batch, go_on_)); });
    }
    faults_.clear(fault.kind == FaultKind::kStall ? FaultKind::kStall : FaultKind::kDelay);
    for (std::thread& thread : held) thread.join();
  }
}

TEST_F(FaultsTest, StopEndsAHold) {
  faults_.add(stall());
  const BatchFaults batch = faults_.begin_batch(1);
  std::atomic<bool> stop{false};
  std::thread held([&] { EXPECT_FALSE(faults_.hold(batch, stop)); });
  stop = true;
  faults_.wake();
  held.join();
  EXPECT_FALSE(faults_.hold(batch, stop));  // and does not begin one
}

TEST_F(FaultsTest, ManyThreadsDrawAsManyAsTheyAskFor) {
  faults_.add(error(1));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) {
        if (!faults_.quiet()) (void)faults_.begin_batch(2);
        faults_.add(within(delay(0), 0, 1e-9));
        (void)faults_.active();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(injected(FaultKind::kError), 2'000U);
}

TEST_F(FaultsTest, KindsHaveNames) {
  for (const FaultKind kind :
       {FaultKind::kDelay, FaultKind::kError, FaultKind::kStall, FaultKind::kPartial}) {
    EXPECT_EQ(parse_fault_kind(fault_kind_name(kind)), kind);
  }
  EXPECT_EQ(fault_kind_name(FaultKind::kPartial), "partial");
  EXPECT_FALSE(parse_fault_kind("Delay").has_value());
}

TEST_F(FaultsTest, RefusalsNameGotAndWanted) {
  const double nan = std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal(delay(-1)), "seconds: got -1.000000, want seconds, 0 or more");
  EXPECT_EQ(refusal(delay(infinity)), "seconds: got inf, want seconds, 0 or more");
  EXPECT_EQ(refusal(error(1.5)), "ratio: got 1.500000, want 0 to 1");
  EXPECT_EQ(refusal(partial(nan)), "ratio: got nan, want 0 to 1");
  EXPECT_EQ(refusal(within(stall(), -2, {})),
            "start_after: got -2.000000, want seconds, 0 or more");
  const std::string want = ", want more than 0 seconds, or none";
  EXPECT_EQ(refusal(within(stall(), 0, 0)), "duration: got 0.000000" + want);
  EXPECT_EQ(refusal(within(stall(), 0, nan)), "duration: got nan" + want);
  EXPECT_EQ(refusal(within(stall(), 1e300, 1e300)), "");  // far away, but a schedule
}

}  // namespace
}  // namespace inferometer
