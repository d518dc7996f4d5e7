// The fake NVML of tests/fakes/nvml, for one test.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "machine_files.h"

namespace inferometer {

/// Skips the test where the fake could not be built. Calls count from the start of the test.
class ScriptedNvml : public testing::Test {
 protected:
  void SetUp() override {
    if (library().empty()) GTEST_SKIP() << "no nvml.h (PyPI: nvidia-nvml-dev) when configured";
    setenv("FAKE_NVML_SCRIPT", files_.path("script").c_str(), 1);
    inits_ = calls("fake_nvml_inits");
    shutdowns_ = calls("fake_nvml_shutdowns");
    surveys_ = calls("fake_nvml_surveys");
  }
  void TearDown() override { unsetenv("FAKE_NVML_SCRIPT"); }

  static std::string library() { return INFEROMETER_FAKE_NVML; }
  static std::string old_library() { return INFEROMETER_FAKE_NVML_OLD; }

  void script(std::string_view text) const { files_.write("script", text); }
  [[nodiscard]] int inits() const { return calls("fake_nvml_inits") - inits_; }
  [[nodiscard]] int shutdowns() const { return calls("fake_nvml_shutdowns") - shutdowns_; }
  [[nodiscard]] int surveys() const { return calls("fake_nvml_surveys") - surveys_; }

 private:
  static int calls(const char* counter) {
    void* const fake = dlopen(library().c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    auto* const function =
        fake == nullptr ? nullptr : reinterpret_cast<int (*)()>(dlsym(fake, counter));
    if (function == nullptr) {
      ADD_FAILURE() << "the fake NVML lacks " << counter;
      return 0;
    }
    dlclose(fake);  // it stays loaded
    return function();
  }

  FileTree files_;
  int inits_ = 0;
  int shutdowns_ = 0;
  int surveys_ = 0;
};

}  // namespace inferometer
