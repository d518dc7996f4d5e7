// What brings series up to date before they are shown.
#pragma once

namespace inferometer {

class RegistryCore;

/// Writes series only when somebody looks at them, so that nothing runs while nobody does. Held by
/// the registry.
/// Thread-safe: expositions overlap.
class Refresher {
 public:
  virtual ~Refresher() = default;
  /// Called at the start of every exposition of `registry`, before a lock is taken. If it throws,
  /// that is counted in inferometer_collector_errors_total and the exposition goes on.
  virtual void refresh(RegistryCore& registry) = 0;
};

}  // namespace inferometer
