#include "inferometer/faulty_model.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine_fixture.h"
#include "inferometer/delay_model.h"

namespace inferometer {
namespace {

Batching bounded_batching(int64_t max_batch_size, int64_t max_queue_size = 1024) {
  Batching batching;
  batching.max_batch_size = max_batch_size;
  batching.max_queue_size = max_queue_size;
  return batching;
}

/// Engines whose model has faults_.
class FaultyModelTest : public EngineFixture {
 protected:
  std::unique_ptr<Engine> faulty(std::shared_ptr<Executable> model, const Batching& batching = {}) {
    return make(std::make_shared<FaultyModel>(std::move(model), faults_), batching);
  }
  std::shared_ptr<Request> submit(Engine& engine, int id) {
    return engine.submit(Rows(id).inputs());
  }
  // The injected error of a request; empty if it ended otherwise.
  static std::string injected_error(Request& request) {
    (void)request.wait();
    if (request.outcome() != Outcome::kFailure) return "";
    try {
      std::rethrow_exception(request.error());
    } catch (const InjectedFaultError& error) {
      return error.what();
    } catch (...) {
      return "";
    }
  }
  uint64_t injected(FaultKind kind) const { return faults_->injected()[static_cast<size_t>(kind)]; }

  const std::shared_ptr<Faults> faults_ = std::make_shared<Faults>(3);
};

TEST_F(FaultyModelTest, LooksLikeTheModelItWraps) {
  class Described final : public EchoModel {
   public:
    using EchoModel::EchoModel;
    [[nodiscard]] int64_t max_rows() const noexcept override { return 5; }
    [[nodiscard]] int64_t weights_bytes() const noexcept override { return 6; }
    [[nodiscard]] const void* weights() const noexcept override { return this; }
    [[nodiscard]] bool healthy() const noexcept override { return false; }
    [[nodiscard]] int64_t activation_bytes(int64_t rows) const noexcept override {
      return 7 * rows;
    }
    [[nodiscard]] int64_t load_ns() const noexcept override { return 8; }
    [[nodiscard]] bool may_block() const noexcept override { return true; }
    [[nodiscard]] bool keeps_inputs() const noexcept override { return false; }
    [[nodiscard]] bool needs_interpreter() const noexcept override { return true; }
    void interrupt() noexcept override { interrupted = true; }
    bool interrupted = false;
  };
  const std::vector<TensorSpec> specs = {{"x", DType::kFloat32, Shape({-1, 4})}};
  const auto described = std::make_shared<Described>(specs);
  FaultyModel model(described, faults_);
  EXPECT_EQ(model.inputs()[0].name, "x");
  EXPECT_TRUE(model.outputs().empty());
  EXPECT_EQ(model.max_rows(), 5);
  EXPECT_EQ(model.weights_bytes(), 6);
  EXPECT_NE(model.weights(), nullptr);
  EXPECT_FALSE(model.healthy());
  EXPECT_EQ(model.activation_bytes(2), 14);
  EXPECT_EQ(model.load_ns(), 8);
  EXPECT_FALSE(model.keeps_inputs());
  EXPECT_TRUE(model.needs_interpreter());
  EXPECT_TRUE(model.may_block());
  model.interrupt();
  EXPECT_TRUE(described->interrupted);
}

TEST_F(FaultyModelTest, RefusesNothing) {
  EXPECT_THROW(FaultyModel(nullptr, faults_), ConfigError);
  EXPECT_THROW(FaultyModel(std::make_shared<EchoModel>(), nullptr), ConfigError);
}

TEST_F(FaultyModelTest, WithoutFaultsTheModelAnswers) {
  const auto engine = faulty(std::make_shared<EchoModel>());
  const auto request = submit(*engine, 4);
  (void)request->wait();
  EXPECT_TRUE(Rows(4).doubled_by(*request));
}

TEST_F(FaultyModelTest, AnErrorFailsTheWholeBatch) {
  const auto model = std::make_shared<GatedModel>();
  const auto engine = faulty(model, bounded_batching(4));
  const auto first = submit(*engine, 0);
  model->await_runs(1);  // it runs already: the fault is not for it
  faults_->add({.kind = FaultKind::kError, .ratio = 1});
  std::vector<std::shared_ptr<Request>> batch;
  for (int id = 1; id <= 4; ++id) batch.push_back(submit(*engine, id));
  model->open();
  for (const auto& request : batch) {
    EXPECT_EQ(injected_error(*request), "injected fault: an error of the whole batch (ratio 1)");
    EXPECT_EQ(request->timing().batch_size, 4);
  }
  (void)first->wait();
  EXPECT_TRUE(Rows(0).doubled_by(*first));
  EXPECT_EQ(model->seen().size(), 1U);
  EXPECT_EQ(ended("failure"), 4);
  EXPECT_EQ(injected(FaultKind::kError), 1U);
}

TEST_F(FaultyModelTest, APartialFailureLeavesTheOthersTheirAnswers) {
  faults_->add({.kind = FaultKind::kPartial, .ratio = 0.5});
  const auto engine = faulty(std::make_shared<EchoModel>(), bounded_batching(8));
  std::vector<std::shared_ptr<Request>> requests;
  for (int id = 0; id < 200; ++id) requests.push_back(submit(*engine, id));
  size_t failed = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    const std::string error = injected_error(*requests[i]);
    if (error.empty()) {
      EXPECT_TRUE(Rows(static_cast<int>(i)).doubled_by(*requests[i])) << i;
    } else {
      EXPECT_EQ(error, "injected fault: an error of this request (ratio 0.5)");
      EXPECT_TRUE(requests[i]->outputs().empty());
      ++failed;
    }
  }
  EXPECT_EQ(failed, injected(FaultKind::kPartial));
  EXPECT_NEAR(static_cast<double>(failed), 100, 50);
  EXPECT_EQ(ended("failure"), failed);
  EXPECT_EQ(ended("success"), 200 - failed);
}

TEST_F(FaultyModelTest, ItemsFailOneByOneToo) {
  faults_->add({.kind = FaultKind::kPartial, .ratio = 0.5});
  const auto engine = faulty(std::make_shared<ObjectModel>());
  size_t failed = 0;
  for (int id = 0; id < 50; ++id) {
    const auto object = std::make_shared<int>(id);
    const auto request = engine->submit_object(object);
    if (injected_error(*request).empty()) {
      EXPECT_EQ(request->result_object(), object);
    } else {
      ++failed;
    }
  }
  EXPECT_EQ(failed, injected(FaultKind::kPartial));
  EXPECT_GT(failed, 0U);
}

TEST_F(FaultyModelTest, AModelsOwnErrorIsNotAnInjectedOne) {
  faults_->add({.kind = FaultKind::kPartial, .ratio = 1});
  const auto engine = faulty(std::make_shared<ScriptedModel>(
      [](Batch&) -> bool { throw std::runtime_error("broken weights"); }));
  const auto request = submit(*engine, 1);
  EXPECT_EQ(injected_error(*request), "");
  EXPECT_EQ(request->outcome(), Outcome::kFailure);
}

TEST_F(FaultyModelTest, ADelayIsPartOfTheModelsTime) {
  faults_->add({.kind = FaultKind::kDelay, .seconds = 0.002});
  const auto engine = faulty(std::make_shared<EchoModel>());
  const auto request = submit(*engine, 1);
  (void)request->wait();
  EXPECT_TRUE(Rows(1).doubled_by(*request));
  EXPECT_GE(request->timing().compute_ns, 2'000'000);
}

TEST_F(FaultyModelTest, AStallEndsWhenItIsCleared) {
  faults_->add({.kind = FaultKind::kStall});
  const auto engine = faulty(std::make_shared<EchoModel>());
  const auto request = submit(*engine, 1);
  EXPECT_EQ(request->wait(steady_clock().now_ns() + kSoonNs), Request::WaitStatus::kDeadline);
  faults_->clear();
  (void)request->wait();
  EXPECT_TRUE(Rows(1).doubled_by(*request));
}

TEST_F(FaultyModelTest, ADeadlinePassesDuringAStall) {
  faults_->add({.kind = FaultKind::kStall});
  const auto engine = faulty(std::make_shared<EchoModel>());
  const auto request = engine->submit(Rows(1).inputs(), with_timeout(kSoonNs));
  (void)request->wait();
  EXPECT_EQ(request->outcome(), Outcome::kTimeout);
  faults_->clear();
}

TEST_F(FaultyModelTest, CloseEndsAStall) {
  faults_->add({.kind = FaultKind::kStall});
  const auto engine = faulty(std::make_shared<EchoModel>());
  const auto request = submit(*engine, 1);
  while (injected(FaultKind::kStall) == 0) std::this_thread::yield();
  EXPECT_TRUE(engine->close(kLongNs));  // the model comes back
  EXPECT_EQ(request->outcome(), Outcome::kShutdown);
  faults_->clear();
}

TEST_F(FaultyModelTest, OneEnginesCloseLeavesTheOthersStalled) {
  faults_->add({.kind = FaultKind::kStall});
  const auto closed = faulty(std::make_shared<EchoModel>());
  Engine other(std::make_shared<FaultyModel>(std::make_shared<EchoModel>(), faults_),
               options_of(nullptr));
  const auto request = submit(other, 1);
  EXPECT_TRUE(closed->close(kLongNs));
  EXPECT_EQ(request->wait(steady_clock().now_ns() + kSoonNs), Request::WaitStatus::kDeadline);
  faults_->clear();
  (void)request->wait();
  EXPECT_TRUE(Rows(1).doubled_by(*request));
}

TEST_F(FaultyModelTest, NothingIsHeldAfterAnInterrupt) {
  class OneRequest final : public Batch {
   public:
    [[nodiscard]] int64_t rows() const noexcept override { return 1; }
    [[nodiscard]] std::span<const TensorView> inputs() const noexcept override { return {}; }
    [[nodiscard]] std::shared_ptr<const void> input_owner() const override { return nullptr; }
    MutableTensorView allocate_output(size_t, DType, const Shape&) override { return {}; }
    [[nodiscard]] size_t requests() const noexcept override { return 1; }
    [[nodiscard]] const std::shared_ptr<void>& object(size_t) const noexcept override {
      return object_;
    }
    void set_result_object(size_t, std::shared_ptr<void>) override {}

   private:
    const std::shared_ptr<void> object_;
  };
  OneRequest batch;
  FaultyModel model(std::make_shared<EchoModel>(), faults_);
  EXPECT_NO_THROW(model.run(batch));
  faults_->add({.kind = FaultKind::kPartial, .ratio = 1});
  EXPECT_THROW(model.run(batch), InjectedFaultError);  // a batch that is one request fails as one
  faults_->clear();
  faults_->add({.kind = FaultKind::kStall});
  EXPECT_TRUE(model.may_block());
  model.interrupt();
  EXPECT_THROW(model.run(batch), InjectedFaultError);
}

TEST_F(FaultyModelTest, MayBlockWhileSomethingMayHoldIt) {
  const FaultyModel model(std::make_shared<EchoModel>(), faults_);
  EXPECT_FALSE(model.may_block());
  faults_->add({.kind = FaultKind::kError, .ratio = 1});
  EXPECT_FALSE(model.may_block());
  faults_->add({.kind = FaultKind::kDelay, .seconds = 1, .start_after_seconds = 3600});
  EXPECT_TRUE(model.may_block());
  faults_->clear();
  EXPECT_FALSE(model.may_block());
}

TEST_F(FaultyModelTest, EveryRequestEndsOnceWhateverIsInjected) {
  const auto engine = faulty(std::make_shared<DelayModel>(20e-6, 1e-6), bounded_batching(8, 64));
  std::array<std::atomic<uint64_t>, kOutcomes> seen{};
  std::atomic<int> done{0};
  const auto count = [&](Outcome outcome) {
    ++seen[static_cast<size_t>(outcome)];
    ++done;
  };
  constexpr int kEach = 400;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int n = 0; n < kEach; ++n) {
        const Rows rows(caller * kEach + n, 1 + n % 3);
        try {
          const auto request =
              engine->submit(rows.inputs(), n % 5 == 0 ? with_timeout(kSoonNs) : SubmitOptions{});
          if (n % 7 == 0) engine->cancel(request, true);
          (void)request->wait();
          count(request->outcome());
          if (request->outcome() == Outcome::kSuccess) {
            EXPECT_TRUE(
                std::ranges::equal(request->outputs()[0].as<float>(), rows.view().as<float>()));
          }
        } catch (const QueueFullError&) {
          count(Outcome::kRejected);
        }
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    faults_->add({.kind = FaultKind::kError, .ratio = 0.2, .duration_seconds = 0.002});
    faults_->add({.kind = FaultKind::kPartial, .ratio = 0.2, .start_after_seconds = 0.0005});
    faults_->add({.kind = FaultKind::kDelay, .seconds = 0.0002});
    faults_->add({.kind = FaultKind::kStall, .duration_seconds = 0.0015});
    while (done < 4 * kEach * (round + 1) / 21) std::this_thread::yield();
    faults_->clear();
  }
  faults_->add({.kind = FaultKind::kPartial, .ratio = 0.2});
  for (std::thread& caller : callers) caller.join();
  uint64_t all = 0;
  for (size_t i = 0; i < kOutcomes; ++i) {
    all += seen[i];
    EXPECT_EQ(ended(outcome_name(static_cast<Outcome>(i))), static_cast<double>(seen[i])) << i;
  }
  EXPECT_EQ(all, 4 * kEach);
  EXPECT_GT(seen[static_cast<size_t>(Outcome::kFailure)], 0U);
}

}  // namespace
}  // namespace inferometer
