// All series of one metric of the catalogue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "telemetry/record/family_spec.h"
#include "telemetry/record/label_values.h"
#include "telemetry/record/series.h"
#include "telemetry/record/storage.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// A series exists from the first get() of its label values until the last handle to it is gone,
/// and is shown in the order of creation. Its labels come from a closed set (models, devices), so
/// nothing but memory bounds their number. Lifetime: handles hold a series by shared_ptr, also
/// beyond the registry.
/// Thread-safe; *_locked() methods are for callers that hold the storage's mutex.
class Family {
 public:
  using SeriesList = std::vector<std::shared_ptr<Series>>;

  Family(std::shared_ptr<Storage> storage, FamilySpec spec);

  [[nodiscard]] const FamilySpec& spec() const noexcept { return *spec_; }

  /// The series of these label values. A histogram's gets native buckets when it is made, if the
  /// spec or its first user says so. Throws ConfigError for a wrong number of values, for invalid
  /// UTF-8 and, counting the series as dropped, if there is no room for it.
  [[nodiscard]] std::shared_ptr<Series> get(LabelValues values, bool native = false)
      EXCLUDES(storage_->mutex);
  [[nodiscard]] std::shared_ptr<Series> get_locked(LabelValues values, bool native = false)
      REQUIRES(storage_->mutex);

  /// Whether one of the series has these labels, in any order.
  [[nodiscard]] bool contains_locked(std::span<const std::string> names,
                                     std::span<const std::string> values) const
      REQUIRES(storage_->mutex);
  /// Moves series that nobody holds any more into `dead`, for the caller to destroy after the lock
  /// (they may hold readers).
  void collect_dead_locked(SeriesList& dead) REQUIRES(storage_->mutex);
  [[nodiscard]] bool empty_locked() const REQUIRES(storage_->mutex) { return index_.empty(); }
  /// Gives the family and its series to the sink; the family must not be empty.
  void visit_locked(Sink& sink) REQUIRES(storage_->mutex);
  /// Gives the family alone.
  void visit_header(Sink& sink) const;

 private:
  // Lets the index be searched with a string_view.
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };

  [[nodiscard]] std::shared_ptr<Series> make_locked(std::string labels, bool native)
      REQUIRES(storage_->mutex);
  void visit_histogram_locked(const Series& series, std::span<const ExemplarView> exemplars,
                              Sink& sink) REQUIRES(storage_->mutex);
  // Removal leaves gaps in series_; closed when they are most of it, so that removal costs O(1).
  void close_gaps_locked() REQUIRES(storage_->mutex);

  // Constant after construction.
  const std::shared_ptr<Storage> storage_;
  const std::shared_ptr<const FamilySpec> spec_;

  // In order of creation, null where one was removed.
  SeriesList series_ GUARDED_BY(storage_->mutex);
  // Label text to the position in series_.
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> index_ GUARDED_BY(storage_->mutex);
  std::vector<uint64_t> cumulative_ GUARDED_BY(storage_->mutex);
};

}  // namespace inferometer
