// Reads foreign prometheus-cpp collectors.
#pragma once

#include <memory>
#include <vector>

#include "telemetry/record/foreign.h"

namespace prometheus {
class Collectable;
}

namespace inferometer {

struct Collected {
  ForeignFamilies families;
  uint64_t errors = 0;  ///< Collectors that threw; what the others gave is there.
};

/// Calls every collector, in order. Throws nothing that a collector throws.
[[nodiscard]] Collected collect(
    const std::vector<std::shared_ptr<prometheus::Collectable>>& collectors);

}  // namespace inferometer
