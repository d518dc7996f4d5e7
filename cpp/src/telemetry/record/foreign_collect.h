// prometheus-cpp's collectors as sources of families.
#pragma once

#include <memory>

#include "telemetry/record/family_source.h"

namespace prometheus {
class Collectable;
}

namespace inferometer {

/// The families of a prometheus-cpp collector; types that it knows and we do not are dropped.
[[nodiscard]] std::shared_ptr<FamilySource> source_of(
    std::shared_ptr<prometheus::Collectable> collectable);

}  // namespace inferometer
