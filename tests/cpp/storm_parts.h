// What a storm of requests is made of.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "fake_models.h"

namespace inferometer {

/// One of the worlds the storm breaks over.
struct World {
  const char* name;
  size_t instances;
  bool interpreter;  // the model runs under a lock, as Python models do
  bool caller_runs;
  bool drained;  // in the end; else closed
};

/// Answers like EchoModel; one that needs an interpreter runs under a lock that the callers take
/// too. Its device runs out of memory now and then, and is lost in the end. Counts itself.
/// Thread-safe.
class StormModel final : public EchoModel {
 public:
  StormModel(Mutex* interpreter, std::shared_ptr<void> alive)
      : EchoModel({{"x", DType::kFloat32, Shape({-1, -1})}}),
        interpreter_(interpreter),
        alive_(std::move(alive)) {}
  [[nodiscard]] bool needs_interpreter() const noexcept override { return interpreter_ != nullptr; }
  [[nodiscard]] bool keeps_inputs() const noexcept override { return false; }
  [[nodiscard]] bool healthy() const noexcept override { return runs_ < kRunsUntilLost; }
  void run(Batch& batch) override {
    const int run = ++runs_;
    if (!healthy()) throw DeviceError("lost", DeviceFault::kLost);
    if (run % 50 == 0) throw DeviceError("no memory", DeviceFault::kOutOfMemory);
    if (interpreter_ == nullptr) return echo(batch);
    MutexLock lock(*interpreter_);
    echo(batch);
  }

 private:
  static constexpr int kRunsUntilLost = 200;
  std::atomic<int> runs_{0};
  Mutex* const interpreter_;
  const std::shared_ptr<void> alive_;
};

/// The memory of a lone call's answer. Single-owner.
class Answer final : public AnswerSink {
 public:
  MutableTensorView output(size_t /*index*/, DType dtype, const Shape& shape) override {
    values_.resize(static_cast<size_t>(shape.elements()));
    return {dtype, shape, reinterpret_cast<std::byte*>(values_.data())};
  }
  [[nodiscard]] bool doubles(const Rows& rows) const {
    return std::ranges::equal(values_, rows.view().as<float>(),
                              [](float got, float sent) { return got == 2 * sent; });
  }

 private:
  std::vector<float> values_;
};

/// What the callers have seen. Thread-safe.
struct Seen {
  std::array<std::atomic<uint64_t>, kOutcomes> outcomes{};
  std::atomic<uint64_t> sent{0};
  std::atomic<uint64_t> refused_closed{0};  // never accepted, and not counted by the engine
  std::atomic<uint64_t> wrong_rows{0};

  void count(Outcome outcome) { ++outcomes[static_cast<size_t>(outcome)]; }
};

}  // namespace inferometer
