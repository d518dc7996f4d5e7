#include "serving/recorder_series.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "recorder_fixture.h"

namespace inferometer {
namespace {

/// What nv_inference_* counted. A value type.
struct Counts {
  double success = 0, other = 0, backend = 0, canceled = 0, rejected = 0;
  double inferences = 0, executions = 0;
  double request_us = 0, queue_us = 0, input_us = 0, infer_us = 0, output_us = 0;

  bool operator==(const Counts&) const = default;
};

class RecorderSeriesTest : public RecorderFixture {
 protected:
  std::unique_ptr<Recorder> make(std::string version = "1") {
    RecorderOptions options = options_of(std::move(version));
    options.load_ns = 30'000;
    return RecorderFixture::make(options);
  }
  double triton(std::string_view name, Registry::LabelSet labels = {}) const {
    labels.emplace("model", "m");
    labels.emplace("version", "1");
    return registry_->sample_value(name, labels).value_or(-1);
  }
  double failures(std::string_view reason) const {
    return triton("nv_inference_request_failure", {{"reason", std::string(reason)}});
  }
  Counts counts() const {
    return {triton("nv_inference_request_success"),
            failures("OTHER"),
            failures("BACKEND"),
            failures("CANCELED"),
            failures("REJECTED"),
            triton("nv_inference_count"),
            triton("nv_inference_exec_count"),
            triton("nv_inference_request_duration_us"),
            triton("nv_inference_queue_duration_us"),
            triton("nv_inference_compute_input_duration_us"),
            triton("nv_inference_compute_infer_duration_us"),
            triton("nv_inference_compute_output_duration_us")};
  }
};

// One line for each rule of Triton's counting.
TEST_F(RecorderSeriesTest, CountsAsTritonDoes) {
  using Act = void (*)(Recorder&);
  struct Case {
    const char* rule;
    Act act;
    Counts want;
  };
  const Case cases[] = {
      {"nothing happened", [](Recorder&) {}, {}},
      {"a success has durations, in whole microseconds",
       [](Recorder& r) { r.record_request(0, Outcome::kSuccess, timing_of(1'999, 12'999)); },
       {.success = 1, .request_us = 12, .queue_us = 1}},
      {"each request is rounded down by itself",
       [](Recorder& r) {
         for (int i = 0; i < 10; ++i) r.record_request(0, Outcome::kSuccess, timing_of(999, 1'999));
       },
       {.success = 10, .request_us = 10}},
      {"a failure of the model has none",
       [](Recorder& r) {
         r.record_request(0, Outcome::kFailure, timing_of(1'000'000, 2'000'000));
         r.record_batch(0, {ReleaseReason::kFull, 8, 5'000, 9'000, 4'000, 0, 0});
       },
       {.backend = 1, .executions = 1}},
      {"each success of a batch adds the batch's times in full",
       [](Recorder& r) {
         r.record_batch(0, {ReleaseReason::kFull, 8, 2'999, 10'999, 3'000, 3, 6});
       },
       {.inferences = 6, .executions = 1, .input_us = 6, .infer_us = 21, .output_us = 9}},
      {"times that run backwards count as nothing",
       [](Recorder& r) {
         r.record_request(0, Outcome::kSuccess, timing_of(-5'000, -5'000));
         r.record_batch(0, {ReleaseReason::kIdle, 1, -5'000, -5'000, -5'000, 1, 1});
       },
       {.success = 1, .inferences = 1, .executions = 1}},
      {"an execution counts whatever released it",
       [](Recorder& r) {
         for (size_t i = 0; i < kReleaseReasons; ++i) {
           r.record_batch(0, {static_cast<ReleaseReason>(i), 1, 0, 0, 0, 0, 0});
         }
       },
       {.executions = kReleaseReasons}},
      {"refused at the door",
       [](Recorder& r) { r.record_refused(Outcome::kRejected); },
       {.rejected = 1}},
      {"too late",
       [](Recorder& r) { r.record_ended_early(Outcome::kTimeout, timing_of(5'000, 5'000)); },
       {.rejected = 1}},
      {"cancelled",
       [](Recorder& r) { r.record_ended_early(Outcome::kCancelled, timing_of(5'000, 5'000)); },
       {.canceled = 1}},
      {"shut down",
       [](Recorder& r) { r.record_ended_early(Outcome::kShutdown, timing_of(5'000, 5'000)); },
       {.other = 1}},
      {"an invalid request is no failure of Triton's",
       [](Recorder& r) { r.record_refused(Outcome::kInvalid); },
       {}},
  };
  for (const auto& [rule, act, want] : cases) {
    const auto recorder = make();
    act(*recorder);
    const Counts got = counts();
    EXPECT_TRUE(got == want) << rule << '\n' << registry_->render_text();
  }
}

TEST_F(RecorderSeriesTest, ReasonsAndLabelsComeInTritonsOrder) {
  const auto recorder = make();
  const std::string text = registry_->render_text();
  const std::string want =
      "# TYPE nv_inference_request_failure counter\n"
      "nv_inference_request_failure{model=\"m\",reason=\"OTHER\",version=\"1\"} 0\n"
      "nv_inference_request_failure{model=\"m\",reason=\"BACKEND\",version=\"1\"} 0\n"
      "nv_inference_request_failure{model=\"m\",reason=\"CANCELED\",version=\"1\"} 0\n"
      "nv_inference_request_failure{model=\"m\",reason=\"REJECTED\",version=\"1\"} 0\n";
  EXPECT_NE(text.find(want), std::string::npos) << text;
}

TEST_F(RecorderSeriesTest, GaugesPrintWithoutExponents) {
  const auto recorder = make();
  const std::string text = registry_->render_text();
  EXPECT_NE(text.find("\nnv_model_load_duration_secs{model=\"m\",version=\"1\"} 0.00003\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\nnv_inference_pending_request_count{model=\"m\",version=\"1\"} 3\n"),
            std::string::npos)
      << text;
}

TEST_F(RecorderSeriesTest, TheLoadTimeIsThatOfTheModelThatWasSwappedIn) {
  const auto recorder = make();
  EXPECT_DOUBLE_EQ(triton("nv_model_load_duration_secs"), 3e-5);
  recorder->set_load_ns(2'500'000'000);
  EXPECT_EQ(triton("nv_model_load_duration_secs"), 2.5);
  recorder->close();
  recorder->set_load_ns(1);  // a swap that loses the race with close() is harmless
  EXPECT_EQ(triton("nv_model_load_duration_secs"), -1);
}

TEST_F(RecorderSeriesTest, TheHistogramIsThatOfSecondsInMicroseconds) {
  const auto recorder = make();
  recorder->record_request(0, Outcome::kSuccess, timing_of(0, 25'000));
  recorder->record_request(0, Outcome::kFailure, timing_of(0, 25'001));
  recorder->record_ended_early(Outcome::kTimeout, timing_of(0, 70'000'000'999));
  const auto bucket = [&](const char* le) {
    return triton("nv_inference_request_latency_us_bucket", {{"le", le}});
  };
  EXPECT_EQ(bucket("25.0"), 1);
  EXPECT_EQ(bucket("50.0"), 2);
  EXPECT_EQ(bucket("6e+07"), 2);
  EXPECT_EQ(bucket("+Inf"), 3);
  EXPECT_EQ(triton("nv_inference_request_latency_us_count"), 3);
  const std::string text = registry_->render_text();
  EXPECT_NE(text.find("nv_inference_request_latency_us_sum{model=\"m\",version=\"1\"} 70000051\n"),
            std::string::npos)
      << text;
}

TEST_F(RecorderSeriesTest, VersionsAreCountedApart) {
  const auto first = make("1");
  auto second = make("2");
  first->record_request(0, Outcome::kSuccess, timing_of(1, 1));
  second->record_request(0, Outcome::kSuccess, timing_of(1, 1));
  second->record_request(0, Outcome::kSuccess, timing_of(1, 1));
  const auto successes = [&](const char* version) {
    return registry_->sample_value("nv_inference_request_success",
                                   {{"model", "m"}, {"version", version}});
  };
  EXPECT_EQ(successes("1"), 1);
  EXPECT_EQ(successes("2"), 2);
  EXPECT_EQ(registry_->sample_value("inference_requests_total",
                                    {{"model_name", "m"}, {"status", "success"}}),
            3);
  second.reset();
  EXPECT_EQ(successes("2"), std::nullopt);
  EXPECT_EQ(successes("1"), 1);
  second = make("2");  // reloaded: from 0, as in Triton
  EXPECT_EQ(successes("2"), 0);
}

TEST_F(RecorderSeriesTest, DetachedCellsAreSeenByNobody) {
  const auto recorder = make();
  recorder->close();
  recorder->record_request(0, Outcome::kSuccess, timing_of(1, 1));
  EXPECT_EQ(registry_->render_text().find("nv_"), std::string::npos);
}

// Scrapes while a worker and callers record: no reading falls, and the last one is exact.
TEST_F(RecorderSeriesTest, ScrapesWhileOthersRecord) {
  constexpr int kBatches = 2000;
  constexpr int kBatch = 4;
  constexpr int kCallers = 3;
  const auto recorder = make();
  std::atomic<int> busy{kCallers + 1};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (int i = 0; i < kBatches; ++i) {
      const OwnTime::Stretch recording = recorder->begin_recording(0, kBatch);
      for (int r = 0; r < kBatch; ++r) {
        recorder->record_request(0, Outcome::kSuccess, timing_of(1'500, 7'500));
      }
      recorder->record_batch(
          0, {ReleaseReason::kFull, 2 * kBatch, 1'500, 5'500, 2'500, kBatch, 2 * kBatch});
      recorder->end_recording(0, recording);
    }
    --busy;
  });
  for (int t = 0; t < kCallers; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kBatches; ++i) {
        recorder->record_refused(Outcome::kRejected);
        recorder->record_ended_early(Outcome::kTimeout, timing_of(5'000, 5'000));
      }
      --busy;
    });
  }
  Counts last;
  while (busy > 0) {
    const Counts now = counts();
    EXPECT_GE(now.success, last.success);
    EXPECT_GE(now.rejected, last.rejected);
    EXPECT_GE(now.executions, last.executions);
    EXPECT_GE(now.request_us, last.request_us);
    EXPECT_GE(now.infer_us, last.infer_us);
    last = now;
  }
  for (std::thread& thread : threads) thread.join();
  constexpr double kRequests = kBatches * kBatch;
  const Counts want{.success = kRequests,
                    .rejected = 2.0 * kCallers * kBatches,
                    .inferences = 2 * kRequests,
                    .executions = kBatches,
                    .request_us = 7 * kRequests,
                    .queue_us = kRequests,
                    .input_us = kRequests,
                    .infer_us = 3 * kRequests,
                    .output_us = 2 * kRequests};
  EXPECT_TRUE(counts() == want) << registry_->render_text();
  EXPECT_EQ(triton("nv_inference_request_latency_us_count"), kRequests + kCallers * kBatches);
}

}  // namespace
}  // namespace inferometer
