#include "settings.h"

#include <cstdlib>

namespace inferometer::emulation {
namespace {

// The environment is read where nothing of ours writes it.
// NOLINTNEXTLINE(concurrency-mt-unsafe)
const char* variable(const char* name) { return std::getenv(name); }

}  // namespace

Settings settings_of_environment() {
  Settings settings;
  if (const char* const devices = variable("INFEROMETER_EMULATED_DEVICES")) {
    settings.driver = std::string(devices) != "no driver";
    settings.devices =
        std::atoi(devices);  // NOLINT(bugprone-unchecked-string-to-number-conversion)
  }
  if (const char* const bytes = variable("INFEROMETER_EMULATED_MEMORY")) {
    settings.memory_bytes = std::strtoull(bytes, nullptr, 10);
  }
  if (const char* const seed = variable("INFEROMETER_EMULATED_SEED")) {
    settings.seed = std::strtoull(seed, nullptr, 10);
  }
  if (const char* const failure = variable("INFEROMETER_EMULATED_FAILURE")) {
    settings.failure = failure;
  }
  return settings;
}

}  // namespace inferometer::emulation
