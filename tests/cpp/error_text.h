// What errors say.
#pragma once

#include <string>

#include "inferometer/errors.h"

namespace inferometer {

/// What the ConfigError, or another `Expected`, says that `action` throws; empty if it throws none.
template <typename Expected = ConfigError, typename Action>
[[nodiscard]] std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  }
  return "";
}

}  // namespace inferometer
