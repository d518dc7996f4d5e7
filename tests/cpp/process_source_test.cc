#include "monitor/process_source.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <string>

#include "machine_files.h"

namespace inferometer {
namespace {

class ProcessSourceTest : public testing::Test {
 protected:
  // utime 250, stime 50, starttime 4200, vsize 9000000, rss 3
  void write_all(const std::string& name = "python") {
    proc_.write("self/stat", "77 (" + name +
                                 ") S 1 77 77 0 -1 4194304 9 0 0 0 250 50 0 0 20 0 1 0 4200 "
                                 "9000000 3 18446744073709551615 0 0 0\n");
    proc_.write("stat", "cpu  1 2 3\nintr 9 9 9\nbtime 1700000000\nprocesses 5\n");
    proc_.write("self/limits",
                "Limit                     Soft Limit           Hard Limit           Units     \n"
                "Max processes             96365                96365                processes \n"
                "Max open files            1024                 524288               files     \n");
    for (const char* fd : {"0", "1", "2", "17"}) proc_.write(std::string("self/fd/") + fd, "");
  }
  std::string read() { return read_text(source_); }
  static std::string expected() {
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    return "process_cpu_seconds_total " + std::to_string(300 / ticks) +
           "\nprocess_virtual_memory_bytes 9000000\nprocess_resident_memory_bytes " +
           std::to_string(3 * sysconf(_SC_PAGESIZE)) + "\nprocess_start_time_seconds " +
           std::to_string(1700000000 + 4200 / ticks) +
           "\nprocess_open_fds 4\nprocess_max_fds 1024\n";
  }

  FileTree proc_;
  ProcessSource source_{proc_.root()};
};

TEST_F(ProcessSourceTest, ReadsAll) {
  write_all();
  EXPECT_EQ(read(), expected());
}

TEST_F(ProcessSourceTest, TheProgramMayHaveAnyName) {
  write_all("a) S 1 (b");
  EXPECT_EQ(read(), expected());
}

TEST_F(ProcessSourceTest, TheStartTimeDoesNotMoveWithTheClock) {
  write_all();
  (void)read();
  proc_.write("stat", "btime 1700000001\n");
  EXPECT_EQ(read(), expected());
}

TEST_F(ProcessSourceTest, WhatIsMissingOrBrokenIsAbsent) {
  EXPECT_EQ(read(), "");
  write_all();
  proc_.remove("stat");
  EXPECT_EQ(read().find("process_start_time"), std::string::npos);
  EXPECT_NE(read().find("process_cpu_seconds_total"), std::string::npos);
  proc_.write("stat", "btime soon\n");
  EXPECT_EQ(read().find("process_start_time"), std::string::npos);
  proc_.remove("self/stat");
  EXPECT_EQ(read(), "process_open_fds 4\nprocess_max_fds 1024\n");
  proc_.write("self/stat", "77 (python S 1");
  EXPECT_EQ(read(), "process_open_fds 4\nprocess_max_fds 1024\n");
  proc_.write("self/stat", "77 (python) S 1 2 3");
  EXPECT_EQ(read(), "process_open_fds 4\nprocess_max_fds 1024\n");
  proc_.write("self/limits", "Max open files            unlimited            unlimited  files\n");
  EXPECT_EQ(read(), "process_open_fds 4\n");
  proc_.remove("self/limits");
  EXPECT_EQ(read(), "process_open_fds 4\n");
  proc_.remove("self/fd");
  EXPECT_EQ(read(), "");
}

TEST_F(ProcessSourceTest, AStatWithABrokenFieldIsLeftOutWhole) {
  for (const char* fields :
       {"x 50 0 0 20 0 1 0 4200 9000000 3", "250 x 0 0 20 0 1 0 4200 9000000 3",
        "250 50 0 0 20 0 1 0 x 9000000 3", "250 50 0 0 20 0 1 0 4200 -1 3",
        "250 50 0 0 20 0 1 0 4200 9000000 x"}) {
    proc_.write("self/stat", std::string("77 (python) S 1 77 77 0 -1 4194304 9 0 0 0 ") + fields);
    EXPECT_EQ(read(), "") << fields;
  }
}

TEST_F(ProcessSourceTest, ThisProcess) {
  ProcessSource source("/proc");
  std::vector<Reading> readings;
  source.read(readings);
  ASSERT_EQ(readings.size(), 6U);
  EXPECT_GE(readings[0].value, 0);
  EXPECT_GT(readings[1].value, readings[2].value);
  EXPECT_GT(readings[2].value, 0);
  EXPECT_GT(readings[3].value, 1.6e9);
  EXPECT_LE(readings[3].value, static_cast<double>(time(nullptr)) + 2);
  EXPECT_GE(readings[4].value, 3);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_EQ(readings[5].value, static_cast<double>(limit.rlim_cur));
}

}  // namespace
}  // namespace inferometer
