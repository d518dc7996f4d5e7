#include "telemetry/record/history_sample.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "error_text.h"
#include "inferometer/errors.h"
#include "telemetry/catalogue.h"

namespace inferometer {
namespace {

using LabelSet = Registry::LabelSet;

std::string place_error(const std::string& name, const LabelSet& labels) {
  return error_of([&] { (void)HistorySample(name).place(labels); });
}

TEST(HistorySampleTest, ACounter) {
  const HistorySample sample("inference_requests_total");
  EXPECT_EQ(sample.metric(), Metric::kRequests);
  const auto place = sample.place({{"status", "success"}, {"model_name", "a\"b"}});
  EXPECT_EQ(place.label_text, "model_name=\"a\\\"b\",status=\"success\"");
  EXPECT_EQ(place.column, 0U);
}

TEST(HistorySampleTest, TheSamplesOfAHistogram) {
  const LabelSet labels{{"model_name", "m"}};
  LabelSet bucket = labels;
  bucket["le"] = "2.5e-05";
  EXPECT_EQ(HistorySample("inference_latency_seconds_bucket").place(bucket).column, 0U);
  bucket["le"] = "60.0";
  EXPECT_EQ(HistorySample("inference_latency_seconds_bucket").place(bucket).column, 20U);
  bucket["le"] = "+Inf";
  EXPECT_EQ(HistorySample("inference_latency_seconds_bucket").place(bucket).column, 21U);
  const auto all = HistorySample("inference_latency_seconds_bucket").place(labels);
  EXPECT_EQ(all.column, 0U);
  EXPECT_EQ(all.columns, 22U);
  EXPECT_EQ(HistorySample("inference_latency_seconds_count").place(labels).columns, 1U);
  EXPECT_EQ(HistorySample("inference_latency_seconds_count").place(labels).column, 21U);
  EXPECT_EQ(HistorySample("inference_latency_seconds_sum").place(labels).column, 22U);
  EXPECT_EQ(HistorySample("inference_batch_size_sum").metric(), Metric::kBatchSize);
}

TEST(HistorySampleTest, EveryNameThatIsNotOneIsRefusedWithThoseThatAre) {
  for (const std::string name :
       {"", "inference_requests", "inference_latency_seconds", "inference_latency_seconds_total",
        "inference_queue_depth_sum", "jobs_total", "inference_requests_total_bucket"}) {
    const std::string error = place_error(name, {});
    EXPECT_TRUE(error.starts_with("history: got the sample name \"" + name + "\", want one of"))
        << error;
    EXPECT_NE(error.find("inference_latency_seconds_bucket, inference_latency_seconds_sum, "
                         "inference_latency_seconds_count, "),
              std::string::npos);
    EXPECT_TRUE(error.ends_with(", " + std::string(catalogue().back().name))) << error;
  }
}

TEST(HistorySampleTest, OtherLabelsAreRefused) {
  EXPECT_EQ(place_error("inference_requests_total", {{"model_name", "m"}}),
            "history of \"inference_requests_total\": got the labels (model_name), want "
            "(model_name, status)");
  const std::string bucket = "inference_batch_size_bucket";
  EXPECT_EQ(place_error(bucket, {{"le", "1.0"}}),
            "history of \"" + bucket +
                "\": got the labels (le), want (model_name), with le for one bucket, without for "
                "all");
  for (const auto& [name, labels] : std::vector<std::pair<std::string, LabelSet>>{
           {"inference_queue_depth", {}},
           {"inference_queue_depth", {{"model_name", "m"}, {"x", ""}}},
           {"inference_queue_depth", {{"model", "m"}}},
           {"inference_batch_size_sum", {{"model_name", "m"}, {"le", "1.0"}}},
           {bucket, {{"model_name", "m"}, {"x", "1.0"}}},
           {"inferometer_dropped_series_total", {{"le", "1.0"}}}}) {
    EXPECT_NE(place_error(name, labels).find("got the labels ("), std::string::npos) << name;
  }
}

TEST(HistorySampleTest, ABoundThatIsNoneIsRefused) {
  EXPECT_EQ(place_error("inference_batch_size_bucket", {{"model_name", "m"}, {"le", "3"}}),
            "history of \"inference_batch_size_bucket\": got le \"3\", want one of 1.0, 2.0, 4.0, "
            "8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, +Inf");
}

TEST(HistorySampleTest, TheLabelSetsOfASeriesLeadBackToIt) {
  std::vector<LabelSet> labels;
  HistorySample("inference_batches_total")
      .append_labels("model_name=\"m\",reason=\"full\"", labels);
  EXPECT_EQ(labels, (std::vector<LabelSet>{{{"model_name", "m"}, {"reason", "full"}}}));
  labels.clear();
  const HistorySample bucket("inference_batch_size_bucket");
  bucket.append_labels("model_name=\"m\"", labels);
  ASSERT_EQ(labels.size(), 12U);
  for (size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(bucket.place(labels[i]).column, i);
}

}  // namespace
}  // namespace inferometer
