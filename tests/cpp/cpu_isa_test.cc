#include "backend/cpu_isa.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "backend/cpu_backend.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

/// Sets INFEROMETER_CPU_ISA for a scope.
class ScopedIsaVariable {
 public:
  explicit ScopedIsaVariable(const char* value) {
    const char* before = std::getenv(kName);
    if (before != nullptr) before_ = before;
    had_before_ = before != nullptr;
    setenv(kName, value, 1);
  }
  ~ScopedIsaVariable() {
    if (had_before_) {
      setenv(kName, before_.c_str(), 1);
    } else {
      unsetenv(kName);
    }
  }
  ScopedIsaVariable(const ScopedIsaVariable&) = delete;
  ScopedIsaVariable& operator=(const ScopedIsaVariable&) = delete;

 private:
  static constexpr const char* kName = "INFEROMETER_CPU_ISA";
  bool had_before_ = false;
  std::string before_;
};

TEST(CpuIsaTest, EveryIsaHasATableOfItsOwn) {
  std::set<const CpuKernels*> tables;
  std::set<void (*)(int64_t, const float*, float*)> functions;
  for (const CpuIsa& isa : cpu_isas()) {
    tables.insert(isa.kernels);
    functions.insert(isa.kernels->relu);
  }
  EXPECT_EQ(tables.size(), cpu_isas().size());
  EXPECT_EQ(functions.size(), cpu_isas().size());
}

TEST(CpuIsaTest, TheBestThatRunsHereIsTheDefault) {
  const ScopedIsaVariable unset("");
  const CpuIsa* best = nullptr;
  for (const CpuIsa& isa : cpu_isas()) {
    if (isa.runs_here) best = &isa;
  }
  ASSERT_NE(best, nullptr);
  EXPECT_EQ(&select_cpu_isa(), best);
}

TEST(CpuIsaTest, TheVariableChoosesAndAnOptionWins) {
  for (const CpuIsa& isa : cpu_isas()) {
    if (!isa.runs_here) continue;
    const ScopedIsaVariable variable(std::string(isa.name).c_str());
    EXPECT_EQ(select_cpu_isa().name, isa.name);
    EXPECT_EQ(select_cpu_isa(cpu_isas()[0].name).name, cpu_isas()[0].name);
  }
}

TEST(CpuIsaTest, UnknownNamesAreErrorsThatNameTheChoices) {
  const ScopedIsaVariable variable("v9");
  try {
    (void)select_cpu_isa();
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("INFEROMETER_CPU_ISA"), std::string::npos) << message;
    EXPECT_NE(message.find("v9"), std::string::npos) << message;
    EXPECT_NE(message.find(cpu_isas()[0].name), std::string::npos) << message;
  }
  EXPECT_THROW((void)select_cpu_isa("sse"), ConfigError);
}

TEST(CpuIsaTest, ABackendSaysWhichKernelsItRuns) {
  const CpuIsa& isa = cpu_isas()[0];
  if (!isa.runs_here) GTEST_SKIP() << isa.name << " cannot run on this machine";
  EXPECT_EQ(make_cpu_backend(isa.name)->name(), "cpu (" + std::string(isa.description) + ")");
}

}  // namespace
}  // namespace inferometer
