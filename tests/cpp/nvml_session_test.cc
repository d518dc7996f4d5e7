#include "monitor/nvml_session.h"

#include <gtest/gtest.h>

#include "scripted_nvml.h"

namespace inferometer {
namespace {

constexpr std::string_view kAll = R"([gpu]
uuid = GPU-a
utilization = 37
memory_total = 150323855360
memory_used = 1073741824
memory_reserved = 512
power_usage = 71337
power_limit = 700000
energy = 123456789
sm_clock = 1980
memory_clock = 3201
temperature = 41
)";

class NvmlSessionTest : public ScriptedNvml {};

TEST_F(NvmlSessionTest, ReadsEveryField) {
  script(kAll);
  const auto session = NvmlSession::open(library());
  ASSERT_NE(session, nullptr);
  const NvmlSession::Survey survey = session->survey();
  EXPECT_TRUE(survey.complete);
  ASSERT_EQ(survey.gpus.size(), 1U);
  const GpuState& gpu = survey.gpus[0];
  EXPECT_EQ(gpu.index, 0U);
  EXPECT_EQ(gpu.uuid, "GPU-a");
  EXPECT_EQ(gpu.utilization_percent, 37U);
  EXPECT_EQ(gpu.memory_total_bytes, 150323855360U);
  EXPECT_EQ(gpu.memory_used_bytes, 1073741824U);  // without what the driver reserves
  EXPECT_EQ(gpu.power_milliwatts, 71337U);
  EXPECT_EQ(gpu.power_limit_milliwatts, 700000U);
  EXPECT_EQ(gpu.energy_millijoules, 123456789U);
  EXPECT_EQ(gpu.sm_clock_megahertz, 1980U);
  EXPECT_EQ(gpu.memory_clock_megahertz, 3201U);
  EXPECT_EQ(gpu.temperature_celsius, 41U);
}

TEST_F(NvmlSessionTest, AnOldDriverLacksFunctions) {
  script(kAll);
  const auto session = NvmlSession::open(old_library());
  ASSERT_NE(session, nullptr);
  const NvmlSession::Survey survey = session->survey();
  EXPECT_TRUE(survey.complete);
  ASSERT_EQ(survey.gpus.size(), 1U);
  EXPECT_EQ(survey.gpus[0].memory_used_bytes, 1073741824U + 512);  // it cannot tell them apart
  EXPECT_EQ(survey.gpus[0].memory_total_bytes, 150323855360U);
  EXPECT_FALSE(survey.gpus[0].energy_millijoules);
  EXPECT_FALSE(survey.gpus[0].temperature_celsius);
  EXPECT_EQ(survey.gpus[0].utilization_percent, 37U);
}

TEST_F(NvmlSessionTest, WhatIsNotSupportedOrFailsIsAbsent) {
  script(R"([gpu]
utilization = !NOT_SUPPORTED
memory_total = 5
memory_used = !NO_PERMISSION
power_usage = !TIMEOUT
power_limit = !NO_DATA
energy = !NOT_SUPPORTED
sm_clock = 7
)");
  const auto session = NvmlSession::open(library());
  ASSERT_NE(session, nullptr);
  const NvmlSession::Survey survey = session->survey();
  EXPECT_TRUE(survey.complete);
  ASSERT_EQ(survey.gpus.size(), 1U);
  const GpuState& gpu = survey.gpus[0];
  EXPECT_EQ(gpu.uuid, "");
  EXPECT_FALSE(gpu.utilization_percent);
  EXPECT_FALSE(gpu.memory_total_bytes);
  EXPECT_FALSE(gpu.memory_used_bytes);
  EXPECT_FALSE(gpu.power_milliwatts);
  EXPECT_FALSE(gpu.power_limit_milliwatts);
  EXPECT_FALSE(gpu.energy_millijoules);
  EXPECT_EQ(gpu.sm_clock_megahertz, 7U);
  EXPECT_FALSE(gpu.memory_clock_megahertz);
  EXPECT_FALSE(gpu.temperature_celsius);
}

// The GPUs' names in order, and whether the survey was complete.
std::string seen(const NvmlSession& session) {
  const NvmlSession::Survey survey = session.survey();
  std::string text;
  for (const GpuState& gpu : survey.gpus) text += std::to_string(gpu.index) + gpu.uuid + " ";
  return text + (survey.complete ? "complete" : "incomplete");
}

TEST_F(NvmlSessionTest, AGpuMayBeLostAnywhere) {
  script("");
  const auto session = NvmlSession::open(library());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(seen(*session), "complete");
  script("[gpu]\nuuid = a\n[gpu]\nuuid = b\n[gpu]\nuuid = c\n");
  EXPECT_EQ(seen(*session), "0a 1b 2c complete");
  for (const char* field : {"handle", "uuid", "utilization", "memory_used", "power_usage",
                            "power_limit", "energy", "sm_clock", "memory_clock", "temperature"}) {
    for (const char* code : {"GPU_IS_LOST", "NOT_FOUND", "RESET_REQUIRED"}) {
      script(std::string("[gpu]\nuuid = a\n[gpu]\nuuid = b\n") + field + " = !" + code +
             "\n[gpu]\nuuid = c\n");
      EXPECT_EQ(seen(*session), "0a 2c incomplete") << field << " " << code;
    }
  }
  script("[nvml]\ncount = !UNINITIALIZED\n[gpu]\nuuid = a\n");
  EXPECT_EQ(seen(*session), "incomplete");
}

TEST_F(NvmlSessionTest, AGpuOfSomebodyElseIsNotLost) {
  script("[gpu]\nuuid = a\nhandle = !NO_PERMISSION\n[gpu]\nuuid = b\n");
  const auto session = NvmlSession::open(library());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(seen(*session), "1b complete");
}

TEST_F(NvmlSessionTest, EndsWhatItBegan) {
  script("");
  {
    const auto session = NvmlSession::open(library());
    EXPECT_EQ(inits(), 1);
    EXPECT_EQ(shutdowns(), 0);
  }
  EXPECT_EQ(shutdowns(), 1);
}

TEST_F(NvmlSessionTest, NoDriverIsNoSession) {
  script("[nvml]\ninit = !DRIVER_NOT_LOADED\n");
  EXPECT_EQ(NvmlSession::open(library()), nullptr);
  EXPECT_EQ(inits(), 1);
  EXPECT_EQ(shutdowns(), 0);
}

TEST(NvmlSessionOpenTest, NoLibraryIsNoSession) {
  EXPECT_EQ(NvmlSession::open("libnvidia-ml-that-is-not-there.so.1"), nullptr);
  EXPECT_EQ(NvmlSession::open("/dev/null"), nullptr);
}

TEST(NvmlSessionOpenTest, AnotherLibraryIsNoSession) {
  EXPECT_EQ(NvmlSession::open("libm.so.6"), nullptr);
}

}  // namespace
}  // namespace inferometer
