// Families that only Python can make, on their way into a native exposition.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/record/family_source.h"

namespace inferometer::python {

/// What Python code fills in: families, each followed by its series. Single-owner: used with the
/// GIL held.
class FamilyList {
 public:
  /// The labels of one series and when it had its value; 0 for now.
  struct Series {
    std::vector<std::string> label_names;
    std::vector<std::string> label_values;
    int64_t timestamp_ms = 0;
  };

  /// Throws ConfigError for a type that there is not.
  void family(std::string name, std::string help, const std::string& type);
  // The series of that family. They throw ConfigError if there is none yet, or if it is of another
  // type.
  void scalar(Series series, double value);
  void histogram(Series series, std::vector<double> bounds, std::vector<uint64_t> cumulative,
                 double sum);
  void summary(Series series, std::vector<double> quantiles, std::vector<double> values,
               uint64_t count, double sum);
  /// Counts a series that cannot be represented.
  void drop() noexcept { ++collected_.dropped; }
  /// Counts a collector that failed.
  void fail() noexcept { ++collected_.errors; }
  /// Moves everything from `other` to the end of this one.
  void extend(FamilyList& other);

  [[nodiscard]] Collected take();

 private:
  ForeignSeries& add(Series series, bool fits);
  [[nodiscard]] MetricType type() const;

  Collected collected_;
};

/// Has a Python function fill a FamilyList, with the GIL held. One that raises instead is reported
/// as unraisable and counts as failed. Thread-safe.
class PythonSource final : public FamilySource {
 public:
  explicit PythonSource(const pybind11::object& function);
  [[nodiscard]] Collected collect() override;

 private:
  const std::shared_ptr<void> function_;
};

}  // namespace inferometer::python
