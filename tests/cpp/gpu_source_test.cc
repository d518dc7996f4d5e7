#include "monitor/gpu_source.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "scripted_nvml.h"

namespace inferometer {
namespace {

class GpuSourceTest : public ScriptedNvml {
 protected:
  std::string read() { return read_text(source_); }
  // Two bare GPUs of the given temperatures.
  void script_two(const std::string& first, const std::string& second) const {
    script("[gpu]\ntemperature = " + first + "\n[gpu]\ntemperature = " + second + "\n");
  }

  StillClock clock_;
  GpuSource source_{library(), clock_};
};

TEST_F(GpuSourceTest, EveryFamily) {
  script(R"(# a comment
[gpu]
uuid = GPU-a
utilization = 37
memory_total = 2000000
memory_used = 1000000
power_usage = 71337
power_limit = 700000
energy = 123456789
sm_clock = 1980
memory_clock = 3201
temperature = 41
)");
  EXPECT_EQ(read(), R"(gpu_memory_used_bytes 0 1000000
gpu_memory_total_bytes 0 2000000
gpu_utilization_ratio 0 0.370000
gpu_clock_hertz 0 sm 1980000000
gpu_clock_hertz 0 memory 3201000000
gpu_temperature_celsius 0 41
nv_gpu_utilization GPU-a 0.370000
nv_gpu_memory_total_bytes GPU-a 2000000
nv_gpu_memory_used_bytes GPU-a 1000000
nv_gpu_power_usage GPU-a 71.337000
nv_gpu_power_limit GPU-a 700.000000
nv_energy_consumption GPU-a 0.000000
)");
}

TEST_F(GpuSourceTest, FieldsThatAreNotSupportedAreAbsent) {
  script("[gpu]\nuuid = GPU-a\nutilization = 100\n[gpu]\nuuid = GPU-b\npower_usage = 5\n[gpu]\n");
  EXPECT_EQ(read(),
            "gpu_utilization_ratio 0 1.000000\nnv_gpu_utilization GPU-a 1.000000\n"
            "nv_gpu_power_usage GPU-b 0.005000\n");
}

TEST_F(GpuSourceTest, WithoutAUuidThereIsTheIndex) {
  script("[gpu]\nutilization = 1\nenergy = 5\n");
  EXPECT_EQ(read(), "gpu_utilization_ratio 0 0.010000\n");
}

TEST_F(GpuSourceTest, EnergyCountsFromTheFirstReading) {
  const auto joules = [&](const std::string& millijoules) {
    script("[gpu]\nuuid = GPU-a\nenergy = " + millijoules + "\n");
    return read();
  };
  EXPECT_EQ(joules("1000000"), "nv_energy_consumption GPU-a 0.000000\n");
  EXPECT_EQ(joules("1001500"), "nv_energy_consumption GPU-a 1.500000\n");
  EXPECT_EQ(joules("!TIMEOUT"), "");
  EXPECT_EQ(joules("1002000"), "nv_energy_consumption GPU-a 2.000000\n");
  EXPECT_EQ(joules("250"), "nv_energy_consumption GPU-a 2.250000\n");  // the driver was reloaded
  EXPECT_EQ(joules("500"), "nv_energy_consumption GPU-a 2.500000\n");
}

TEST_F(GpuSourceTest, EnergyIsEachGpusOwnWhereverItIs) {
  script("[gpu]\nuuid = GPU-a\nenergy = 100\n[gpu]\nuuid = GPU-b\nenergy = 9000\n");
  (void)read();
  script("[gpu]\nuuid = GPU-b\nenergy = 10000\n[gpu]\nuuid = GPU-a\nenergy = 300\n");
  EXPECT_EQ(read(), "nv_energy_consumption GPU-b 1.000000\nnv_energy_consumption GPU-a 0.200000\n");
}

TEST_F(GpuSourceTest, AGpuThatIsLostComesBack) {
  script_two("40", "41");
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 40\ngpu_temperature_celsius 1 41\n");
  script_two("42", "!GPU_IS_LOST");
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 42\n");
  script_two("43", "44");
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 43\ngpu_temperature_celsius 1 44\n");
  EXPECT_EQ(inits(), 1);  // without the help of a new session
}

TEST_F(GpuSourceTest, NvmlIsStartedAgainForALostGpuOnceAMinute) {
  script_two("40", "41");
  (void)read();
  script_two("40", "!GPU_IS_LOST");
  clock_.pass(GpuSource::kRetry - 1);
  (void)read();
  (void)read();
  EXPECT_EQ(inits(), 1);
  clock_.pass(1);
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 40\n");
  EXPECT_EQ(inits(), 2);
  EXPECT_EQ(shutdowns(), 1);
  clock_.pass(GpuSource::kRetry - 1);
  (void)read();
  EXPECT_EQ(inits(), 2);
  script_two("40", "41");
  clock_.pass(1);
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 40\ngpu_temperature_celsius 1 41\n");
  EXPECT_EQ(inits(), 3);
  clock_.pass(10 * GpuSource::kRetry);
  (void)read();
  EXPECT_EQ(inits(), 3);  // all is well
}

TEST_F(GpuSourceTest, AnIndexThatIsGoneCountsAsLost) {
  script_two("40", "41");
  (void)read();
  script("[gpu]\ntemperature = 40\n");
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 40\n");
  clock_.pass(GpuSource::kRetry);
  (void)read();
  EXPECT_EQ(inits(), 2);
}

TEST_F(GpuSourceTest, NoGpuIsNothingLost) {
  script("");
  EXPECT_EQ(read(), "");
  clock_.pass(GpuSource::kRetry);
  EXPECT_EQ(read(), "");
  EXPECT_EQ(inits(), 1);
}

TEST_F(GpuSourceTest, NvmlMayFailAsAWhole) {
  script_two("40", "41");
  (void)read();
  script("[nvml]\ncount = !UNINITIALIZED\ninit = !DRIVER_NOT_LOADED\n");
  EXPECT_EQ(read(), "");
  clock_.pass(GpuSource::kRetry);
  EXPECT_EQ(read(), "");
  EXPECT_EQ(inits(), 2);
  EXPECT_EQ(read(), "");
  EXPECT_EQ(inits(), 2);
  script_two("42", "43");
  EXPECT_EQ(read(), "");
  clock_.pass(GpuSource::kRetry);
  EXPECT_EQ(read(), "gpu_temperature_celsius 0 42\ngpu_temperature_celsius 1 43\n");
}

TEST_F(GpuSourceTest, ADriverThatComesLater) {
  script("[nvml]\ninit = !DRIVER_NOT_LOADED\n");
  EXPECT_EQ(read(), "");
  script_two("40", "41");
  EXPECT_EQ(read(), "");
  EXPECT_EQ(surveys(), 0);
  clock_.pass(GpuSource::kRetry);
  EXPECT_NE(read(), "");
}

// The fake ends a child that touches its parent's session.
TEST_F(GpuSourceTest, AChildOfAProcessThatLoadedNvmlReadsNothing) {
  script_two("40", "41");
  ASSERT_NE(read(), "");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    GpuSource own(library(), clock_);
    _exit(read_text(own).empty() && inits() == 1 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NE(read(), "");
}

TEST(GpuSourceLibraryTest, NoLibraryIsNoReading) {
  const StillClock clock;
  GpuSource source("libnvidia-ml-that-is-not-there.so.1", clock);
  EXPECT_EQ(read_text(source), "");
  EXPECT_EQ(read_text(source), "");
}

}  // namespace
}  // namespace inferometer
