#include "telemetry/catalogue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/registry.h"
#include "telemetry/record/names.h"
#include "telemetry/record/series.h"

namespace inferometer {
namespace {

TEST(CatalogueTest, EveryEntryIsSound) {
  NameTable names;
  for (const MetricInfo& info : catalogue()) {
    EXPECT_TRUE(is_metric_name(info.name)) << info.name;
    EXPECT_EQ(names.owner_of(info.name, info.type), nullptr) << info.name;
    names.add(info.name, info.type);
    EXPECT_EQ(info.bounds.empty(), info.type != MetricType::kHistogram) << info.name;
    EXPECT_FALSE(info.help.empty()) << info.name;
    EXPECT_TRUE(info.when.ends_with('.')) << info.name;
    const bool tritons = info.name.starts_with("nv_");  // names and texts are not ours
    if (!tritons) {
      EXPECT_EQ(info.name.ends_with("_total"), info.type == MetricType::kCounter) << info.name;
      EXPECT_TRUE(info.help.ends_with('.')) << info.name;
    }
    if (info.unit == Unit::kNanoseconds) {
      EXPECT_NE(info.name.find(tritons ? "_secs" : "_seconds"), std::string::npos) << info.name;
    }
    if (info.unit == Unit::kWholeMicros) {
      EXPECT_TRUE(info.name.ends_with("_us")) << info.name;
    }
    EXPECT_TRUE(!tritons || std::ranges::is_sorted(info.labels)) << info.name;
    for (const std::string_view label : info.labels) {
      EXPECT_TRUE(is_label_name(label)) << info.name;
      EXPECT_NE(label, "instance");
      EXPECT_NE(label, "job");
    }
  }
}

TEST(CatalogueTest, StripeWords) {
  EXPECT_EQ(stripe_words(Metric::kRequests), 1U);
  EXPECT_EQ(stripe_words(Metric::kQueueDepth), 1U);
  EXPECT_EQ(stripe_words(Metric::kLatency), 21U + 2);
  EXPECT_EQ(stripe_words(Metric::kBatchSize), 11U + 2);
}

// One line a metric: the whole catalogue as it is exposed, histograms by their count.
TEST(CatalogueTest, GoldenExposition) {
  const auto registry = Registry::create();
  std::vector<std::shared_ptr<Series>> held;
  for (const MetricInfo& info : catalogue()) {
    if (info.metric >= Metric::kDroppedSeries) break;  // the registry's own
    std::vector<std::string_view> values(info.labels.size(), "v");
    held.push_back(registry->acquire(info.metric, values));
  }
  std::istringstream lines(registry->render_text());
  std::string types;
  std::string samples;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) types += line.substr(7) + "\n";
    if (!line.starts_with('#') && line.find("le=") == std::string::npos) samples += line + "\n";
  }
  EXPECT_EQ(types, R"(inference_requests_total counter
inference_latency_seconds histogram
inference_queue_seconds histogram
inference_compute_seconds histogram
inference_batch_size histogram
inference_batches_total counter
inference_queue_depth gauge
inference_queue_limit gauge
inference_in_flight gauge
inference_oldest_request_seconds gauge
inference_latency_objective_seconds gauge
inference_requests_within_objective_total counter
inference_busy_seconds_total counter
inference_wasted_seconds_total counter
inference_padding_elements_total counter
inference_elements_total counter
inferometer_telemetry_seconds_total counter
inferometer_model_memory_bytes gauge
inferometer_device_errors_total counter
nv_inference_request_success counter
nv_inference_request_failure counter
nv_inference_count counter
nv_inference_exec_count counter
nv_inference_request_duration_us counter
nv_inference_queue_duration_us counter
nv_inference_compute_input_duration_us counter
nv_inference_compute_infer_duration_us counter
nv_inference_compute_output_duration_us counter
nv_inference_pending_request_count gauge
nv_model_load_duration_secs gauge
nv_inference_request_latency_us histogram
inferometer_dropped_series_total counter
inferometer_collector_errors_total counter
inferometer_build_info gauge
)");
  const size_t version = samples.find("inferometer_build_info{version=\"");
  ASSERT_NE(version, std::string::npos);
  EXPECT_TRUE(samples.ends_with("\"} 1\n"));
  EXPECT_EQ(samples.substr(0, version), R"(inference_requests_total{model_name="v",status="v"} 0
inference_latency_seconds_sum{model_name="v"} 0.0
inference_latency_seconds_count{model_name="v"} 0
inference_queue_seconds_sum{model_name="v"} 0.0
inference_queue_seconds_count{model_name="v"} 0
inference_compute_seconds_sum{model_name="v"} 0.0
inference_compute_seconds_count{model_name="v"} 0
inference_batch_size_sum{model_name="v"} 0
inference_batch_size_count{model_name="v"} 0
inference_batches_total{model_name="v",reason="v"} 0
inference_queue_depth{model_name="v"} 0
inference_queue_limit{model_name="v"} 0
inference_in_flight{model_name="v"} 0
inference_oldest_request_seconds{model_name="v"} 0.0
inference_latency_objective_seconds{model_name="v"} 0.0
inference_requests_within_objective_total{model_name="v"} 0
inference_busy_seconds_total{model_name="v",model_instance="v"} 0.0
inference_wasted_seconds_total{model_name="v"} 0.0
inference_padding_elements_total{model_name="v"} 0
inference_elements_total{model_name="v"} 0
inferometer_telemetry_seconds_total{model_name="v"} 0.0
inferometer_model_memory_bytes{model_name="v",kind="v"} 0
inferometer_device_errors_total{model_name="v",kind="v"} 0
nv_inference_request_success{model="v",version="v"} 0
nv_inference_request_failure{model="v",reason="v",version="v"} 0
nv_inference_count{model="v",version="v"} 0
nv_inference_exec_count{model="v",version="v"} 0
nv_inference_request_duration_us{model="v",version="v"} 0
nv_inference_queue_duration_us{model="v",version="v"} 0
nv_inference_compute_input_duration_us{model="v",version="v"} 0
nv_inference_compute_infer_duration_us{model="v",version="v"} 0
nv_inference_compute_output_duration_us{model="v",version="v"} 0
nv_inference_pending_request_count{model="v",version="v"} 0
nv_model_load_duration_secs{model="v",version="v"} 0.0
nv_inference_request_latency_us_sum{model="v",version="v"} 0
nv_inference_request_latency_us_count{model="v",version="v"} 0
inferometer_dropped_series_total 0
inferometer_collector_errors_total 0
)");
}

// The same for what the monitors show: the machine's and the process's.
TEST(CatalogueTest, GoldenExpositionOfTheMonitors) {
  const auto registry = Registry::create();
  std::vector<std::shared_ptr<Series>> held;
  for (const MetricInfo& info : catalogue()) {
    if (info.metric < Metric::kGpuMemoryUsed || info.metric > Metric::kProcessStartTime) continue;
    held.push_back(
        registry->acquire(info.metric, std::vector<std::string_view>(info.labels.size(), "v")));
  }
  std::istringstream lines(registry->render_text());
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("inferometer_") != std::string::npos) continue;  // the registry's own
    if (!line.starts_with("# HELP ")) text += line + "\n";
  }
  EXPECT_EQ(text, R"(# TYPE gpu_memory_used_bytes gauge
gpu_memory_used_bytes{device_id="v"} 0
# TYPE gpu_memory_total_bytes gauge
gpu_memory_total_bytes{device_id="v"} 0
# TYPE gpu_utilization_ratio gauge
gpu_utilization_ratio{device_id="v"} 0.0
# TYPE gpu_clock_hertz gauge
gpu_clock_hertz{device_id="v",clock="v"} 0
# TYPE gpu_temperature_celsius gauge
gpu_temperature_celsius{device_id="v"} 0
# TYPE nv_gpu_utilization gauge
nv_gpu_utilization{gpu_uuid="v"} 0.0
# TYPE nv_gpu_memory_total_bytes gauge
nv_gpu_memory_total_bytes{gpu_uuid="v"} 0
# TYPE nv_gpu_memory_used_bytes gauge
nv_gpu_memory_used_bytes{gpu_uuid="v"} 0
# TYPE nv_gpu_power_usage gauge
nv_gpu_power_usage{gpu_uuid="v"} 0.0
# TYPE nv_gpu_power_limit gauge
nv_gpu_power_limit{gpu_uuid="v"} 0.0
# TYPE nv_energy_consumption counter
nv_energy_consumption{gpu_uuid="v"} 0.0
# TYPE nv_cpu_utilization gauge
nv_cpu_utilization 0.0
# TYPE nv_cpu_memory_total_bytes gauge
nv_cpu_memory_total_bytes 0
# TYPE nv_cpu_memory_used_bytes gauge
nv_cpu_memory_used_bytes 0
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 0.0
# TYPE process_open_fds gauge
process_open_fds 0
# TYPE process_max_fds gauge
process_max_fds 0
# TYPE process_virtual_memory_bytes gauge
process_virtual_memory_bytes 0
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 0
# TYPE process_start_time_seconds gauge
process_start_time_seconds 0.0
)");
}

}  // namespace
}  // namespace inferometer
