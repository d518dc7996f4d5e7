#include "monitor/host_source.h"

#include <gtest/gtest.h>

#include <string>

#include "machine_files.h"

namespace inferometer {
namespace {

constexpr std::string_view kMemory =
    "MemTotal:       24684096 kB\nMemFree:        20056824 kB\nMemAvailable:   23999452 kB\n";
constexpr std::string_view kMemoryText =
    "nv_cpu_memory_total_bytes 25276514304\nnv_cpu_memory_used_bytes 701075456\n";

class HostSourceTest : public testing::Test {
 protected:
  // user nice system idle iowait irq softirq steal guest guest_nice
  void stat(const std::string& ticks) { proc_.write("stat", "cpu  " + ticks + "\ncpu0 1 2 3\n"); }
  std::string read() { return read_text(source_); }

  FileTree proc_;
  HostSource source_{proc_.root()};
};

TEST_F(HostSourceTest, TheFirstUtilizationIsThatSinceTheMachineStarted) {
  stat("10 10 10 30 10 10 10 10 5 5");  // the guests' are part of user and nice
  EXPECT_EQ(read(), "nv_cpu_utilization 0.600000\n");
}

TEST_F(HostSourceTest, TheNextOnesAreSinceTheLastReading) {
  stat("100 0 0 100 0 0 0 0 0 0");
  (void)read();
  stat("103 0 0 101 0 0 0 0 0 0");
  EXPECT_EQ(read(), "nv_cpu_utilization 0.750000\n");
  stat("103 0 0 111 10 0 0 0 0 0");
  EXPECT_EQ(read(), "nv_cpu_utilization 0.000000\n");
  stat("104 1 1 111 10 1 1 1 0 0");
  EXPECT_EQ(read(), "nv_cpu_utilization 1.000000\n");
}

TEST_F(HostSourceTest, NoTimePassedIsNoReading) {
  stat("100 0 0 100 0 0 0 0 0 0");
  (void)read();
  EXPECT_EQ(read(), "");
}

TEST_F(HostSourceTest, CountersThatFallCountNothing) {
  stat("100 0 0 100 50 0 0 0 0 0");
  (void)read();
  stat("110 0 0 90 40 0 0 0 0 0");
  EXPECT_EQ(read(), "nv_cpu_utilization 1.000000\n");
  stat("1 0 0 1 0 0 0 0 0 0");
  EXPECT_EQ(read(), "");
}

TEST_F(HostSourceTest, Memory) {
  proc_.write("meminfo", kMemory);
  EXPECT_EQ(read(), kMemoryText);
}

TEST_F(HostSourceTest, WhatIsMissingOrBrokenIsAbsent) {
  EXPECT_EQ(read(), "");
  proc_.write("meminfo", "MemFree: 5 kB\n");
  EXPECT_EQ(read(), "");
  proc_.write("meminfo", "MemTotal: 5 kB\n");
  EXPECT_EQ(read(), "nv_cpu_memory_total_bytes 5120\n");
  proc_.write("meminfo", "MemTotal: 5 kB\nMemAvailable: 6 kB\n");
  EXPECT_EQ(read(), "nv_cpu_memory_total_bytes 5120\n");
  proc_.write("meminfo", "MemTotal: many kB\nMemAvailable: 6 kB\n");
  EXPECT_EQ(read(), "");
  stat("1 2 3");
  EXPECT_EQ(read(), "");
  stat("1 2 x 4 5 6 7 8");
  EXPECT_EQ(read(), "");
  proc_.write("stat", "intr 5\n");
  EXPECT_EQ(read(), "");
}

TEST_F(HostSourceTest, ThisMachine) {
  HostSource source("/proc");
  std::vector<Reading> readings;
  source.read(readings);
  ASSERT_EQ(readings.size(), 3U);
  EXPECT_GT(readings[0].value, 0);
  EXPECT_LE(readings[0].value, 1);
  EXPECT_GT(readings[1].value, readings[2].value);
  EXPECT_GT(readings[2].value, 0);
}

}  // namespace
}  // namespace inferometer
