// Families that somebody else makes when they are asked for.
#pragma once

#include "telemetry/record/foreign.h"

namespace inferometer {

/// Code that is not ours: it may throw, hang or use the registry that asks it. It is called on a
/// thread of its own, with no lock of ours held. Held by the registry and by that thread.
class FamilySource {
 public:
  virtual ~FamilySource() = default;
  /// The families as they are now. Calls do not overlap.
  [[nodiscard]] virtual Collected collect() = 0;
};

}  // namespace inferometer
