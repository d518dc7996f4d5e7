// What the tests of forced interleavings share.
#pragma once

#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "engine_fixture.h"
#include "race_stop.h"

namespace inferometer {

using WaitStatus = Request::WaitStatus;
inline constexpr int64_t kLargeWidth = 2000;  // floats: too large to be copied under the lock

/// An answer that nobody reads. Single-owner.
class Unread final : public AnswerSink {
 public:
  MutableTensorView output(size_t /*index*/, DType dtype, const Shape& shape) override {
    memory_.resize(static_cast<size_t>(shape.elements()) * dtype_size(dtype));
    return {dtype, shape, memory_.data()};
  }

 private:
  std::vector<std::byte> memory_;
};

inline SubmitOptions leading() {
  SubmitOptions options;
  options.caller_waits = true;
  return options;
}

inline SubmitOptions later() {
  SubmitOptions options;
  options.flush_later = true;
  return options;
}

class EngineRacesTest : public EngineFixture {
 protected:
  /// Whose workers have found nothing to do and sleep.
  std::unique_ptr<Engine> make_of(std::vector<std::shared_ptr<Executable>> instances,
                                  const EngineOptions& options) {
    const size_t before = stop_.passed(RacePoint::kWorkerSleeps);
    const size_t workers = instances.size();
    auto engine = std::make_unique<Engine>(std::move(instances), options);
    stop_.await_passed(RacePoint::kWorkerSleeps, before + workers);
    return engine;
  }
  std::unique_ptr<Engine> make_several(std::vector<std::shared_ptr<Executable>> instances,
                                       const Batching& batching = {}) {
    return make_of(std::move(instances), options_of(registry_, batching));
  }
  std::unique_ptr<Engine> make_rested(std::shared_ptr<Executable> model,
                                      const Batching& batching = {}) {
    return make_of({std::move(model)}, options_of(registry_, batching));
  }
  static Outcome outcome_of(const std::shared_ptr<Request>& request) {
    EXPECT_EQ(request->wait(), WaitStatus::kEnded);
    return request->outcome();
  }
  /// A blocking call that leads whenever it is asked.
  static std::thread caller_of(Engine& engine, const std::shared_ptr<Request>& request) {
    return std::thread([&engine, request] {
      while (request->wait() == WaitStatus::kLead) engine.lead(request);
    });
  }
  uint64_t counted(const Engine& engine, Outcome outcome) const {
    return engine.stats().requests[static_cast<size_t>(outcome)];
  }

  RaceStop stop_;
  const std::shared_ptr<GatedModel> model_ = std::make_shared<GatedModel>(kAnyWidth);
};

}  // namespace inferometer
