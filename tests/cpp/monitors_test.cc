#include "inferometer/monitors.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <tuple>

#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "monitor/sampler.h"
#include "scripted_nvml.h"

namespace inferometer {
namespace {

MonitorOptions only(bool MonitorOptions::* which) {
  MonitorOptions options;
  options.gpu = options.host = options.process = false;
  options.*which = true;
  return options;
}

bool shows(const Registry& registry, std::string_view name) {
  std::istringstream lines(registry.render_text());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return true;
  }
  return false;
}

TEST(MonitorsTest, EachMayBeChosen) {
  const FileTree proc;
  proc.write("meminfo", "MemTotal: 5 kB\n");
  proc.write("self/fd/0", "");
  for (const auto& [which, host, process] : {std::tuple{&MonitorOptions::host, true, false},
                                             std::tuple{&MonitorOptions::process, false, true}}) {
    const auto registry = Registry::create();
    MonitorOptions options = only(which);
    options.proc = proc.root();
    attach_monitors(*registry, options);
    EXPECT_EQ(shows(*registry, "nv_cpu_memory_total_bytes 5120"), host);
    EXPECT_EQ(shows(*registry, "process_open_fds 1"), process);
  }
}

TEST(MonitorsTest, AttachingAgainChangesNothing) {
  const FileTree proc;
  proc.write("meminfo", "MemTotal: 5 kB\n");
  const FileTree other;
  const auto registry = Registry::create();
  MonitorOptions options = only(&MonitorOptions::host);
  options.proc = proc.root();
  attach_monitors(*registry, options);
  options.proc = other.root();
  options.process = true;  // this one is new
  other.write("self/fd/0", "");
  attach_monitors(*registry, options);
  EXPECT_TRUE(shows(*registry, "nv_cpu_memory_total_bytes 5120"));
  EXPECT_TRUE(shows(*registry, "process_open_fds 1"));
}

TEST(MonitorsTest, TheClockIsTheOneGiven) {
  const FileTree proc;
  proc.write("meminfo", "MemTotal: 5 kB\n");
  StillClock clock;
  const auto registry = Registry::create();
  MonitorOptions options = only(&MonitorOptions::host);
  options.proc = proc.root();
  options.clock = &clock;
  attach_monitors(*registry, options);
  EXPECT_EQ(registry->sample_value("nv_cpu_memory_total_bytes"), 5120);
  proc.write("meminfo", "MemTotal: 6 kB\n");
  EXPECT_EQ(registry->sample_value("nv_cpu_memory_total_bytes"), 5120);
  clock.pass(Sampler::kMinAge);
  EXPECT_EQ(registry->sample_value("nv_cpu_memory_total_bytes"), 6144);
}

TEST(MonitorsTest, OfThisMachineByDefault) {
  const auto registry = Registry::create();
  EXPECT_FALSE(shows(*registry, "process_"));
  attach_monitors(*registry);
  EXPECT_TRUE(shows(*registry, "nv_cpu_utilization "));
  EXPECT_TRUE(shows(*registry, "process_start_time_seconds "));
  EXPECT_EQ(registry->sample_value("inferometer_collector_errors_total"), 0);
}

TEST(MonitorsTest, ProcMustBeNamed) {
  const auto registry = Registry::create();
  MonitorOptions options;
  options.proc = "";
  EXPECT_THROW(attach_monitors(*registry, options), ConfigError);
  EXPECT_FALSE(shows(*registry, "process_"));
}

class GpuMonitorTest : public ScriptedNvml {
 protected:
  std::shared_ptr<Registry> registry_with(const std::string& nvml_library) {
    auto registry = Registry::create();
    MonitorOptions options = only(&MonitorOptions::gpu);
    options.nvml_library = nvml_library;
    options.clock = &clock_;
    attach_monitors(*registry, options);
    return registry;
  }

  StillClock clock_;
};

constexpr std::string_view kGpu = "[gpu]\nuuid = GPU-a\nutilization = 7\npower_usage = 71337\n";

TEST_F(GpuMonitorTest, GoldenText) {
  script(kGpu);
  const auto registry = registry_with(library());
  EXPECT_EQ(inits(), 0);  // attaching loads nothing
  const std::string text = registry->render_text();
  const size_t own = text.find("inferometer_build_info{");
  EXPECT_EQ(text.substr(text.find('\n', own) + 1),
            R"(# HELP gpu_utilization_ratio Share of the time in which the GPU was busy, 0 to 1.
# TYPE gpu_utilization_ratio gauge
gpu_utilization_ratio{device_id="0"} 0.07
# HELP nv_gpu_utilization GPU utilization rate, 0.0 to 1.0.
# TYPE nv_gpu_utilization gauge
nv_gpu_utilization{gpu_uuid="GPU-a"} 0.07
# HELP nv_gpu_power_usage GPU power usage in watts.
# TYPE nv_gpu_power_usage gauge
nv_gpu_power_usage{gpu_uuid="GPU-a"} 71.337
)");
}

TEST_F(GpuMonitorTest, TritonsNumbersHaveNoExponents) {
  script("[gpu]\nuuid = GPU-a\nenergy = 0\n");
  const auto registry = registry_with(library());
  (void)registry->render_text();
  script("[gpu]\nuuid = GPU-a\nenergy = 1234567891\n");
  clock_.pass(Sampler::kMinAge);
  EXPECT_TRUE(shows(*registry, "nv_energy_consumption{gpu_uuid=\"GPU-a\"} 1234567.891"));
}

TEST_F(GpuMonitorTest, ValuesChangeAfterTwoSeconds) {
  script("[gpu]\ntemperature = 40\n");
  const auto registry = registry_with(library());
  const auto temperature = [&] {
    return registry->sample_value("gpu_temperature_celsius", {{"device_id", "0"}});
  };
  EXPECT_EQ(temperature(), 40);
  script("[gpu]\ntemperature = 41\n");
  EXPECT_EQ(temperature(), 40);
  clock_.pass(Sampler::kMinAge);
  EXPECT_EQ(temperature(), 41);
  script("");
  clock_.pass(Sampler::kMinAge);
  EXPECT_FALSE(temperature());
}

TEST_F(GpuMonitorTest, TheEnvironmentMayNameTheLibrary) {
  script(kGpu);
  setenv("INFEROMETER_NVML_LIBRARY", library().c_str(), 1);
  const auto named = registry_with("");
  const auto overruled = registry_with("libnvidia-ml-that-is-not-there.so.1");
  setenv("INFEROMETER_NVML_LIBRARY", "", 1);
  const auto empty = registry_with("");
  unsetenv("INFEROMETER_NVML_LIBRARY");
  EXPECT_TRUE(shows(*named, "nv_gpu_utilization{gpu_uuid=\"GPU-a\"}"));
  EXPECT_FALSE(shows(*overruled, "nv_gpu_utilization"));
  (void)shows(*empty, "nv_gpu_utilization");  // the machine's own library, if it has one
}

TEST_F(GpuMonitorTest, WithoutNvmlThereAreNoFamilies) {
  const auto registry = registry_with("libnvidia-ml-that-is-not-there.so.1");
  const std::string text = registry->render_text();
  EXPECT_EQ(text.find("gpu_"), std::string::npos);
  EXPECT_EQ(text.find("nv_"), std::string::npos);
  EXPECT_EQ(registry->sample_value("inferometer_collector_errors_total"), 0);
}

TEST_F(GpuMonitorTest, AForkedChildLeavesTheGpusOut) {
  script(kGpu);
  const auto registry = registry_with(library());
  ASSERT_TRUE(shows(*registry, "nv_gpu_utilization{"));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    const bool gone = !shows(*registry, "nv_gpu_utilization");
    attach_monitors(*registry, only(&MonitorOptions::process));
    _exit(gone && shows(*registry, "process_open_fds ") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(shows(*registry, "nv_gpu_utilization{"));
}

}  // namespace
}  // namespace inferometer
