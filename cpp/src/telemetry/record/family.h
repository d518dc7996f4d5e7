// All series of one metric name.
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
#include "telemetry/record/series.h"
#include "telemetry/record/storage.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// A series exists from the first get() of its label values, and is shown in that order, until it
/// is removed or, in a family that keeps it only while held, until the last handle to it is gone.
/// Lifetime: handles hold it by shared_ptr, also beyond the registry.
/// Thread-safe; *_locked() methods are for callers that hold the storage's mutex.
class Family {
 public:
  using Values = std::span<const std::string_view>;
  using SeriesList = std::vector<std::shared_ptr<Series>>;
  enum class Keep : uint8_t { kUntilRemoved, kWhileHeld };

  Family(std::shared_ptr<Storage> storage, FamilySpec spec, Keep keep);

  [[nodiscard]] const FamilySpec& spec() const noexcept { return *spec_; }

  /// The series of these label values. A histogram's gets native buckets when it is made, if the
  /// spec or its first user says so. Throws ConfigError for a wrong number of values, for invalid
  /// UTF-8 and, counting the series as dropped, if there is no room for it.
  [[nodiscard]] std::shared_ptr<Series> get(Values values, bool native = false)
      EXCLUDES(storage_->mutex);
  [[nodiscard]] std::shared_ptr<Series> get_locked(Values values, bool native = false)
      REQUIRES(storage_->mutex);
  /// Throws ConfigError for a wrong number of values or a family without labels.
  void remove(Values values) EXCLUDES(storage_->mutex);
  /// Nothing happens to a family without labels: its one series stays.
  void clear() EXCLUDES(storage_->mutex);

  /// Whether one of the series has these labels, in any order.
  [[nodiscard]] bool contains_locked(std::span<const std::string> names,
                                     std::span<const std::string> values) const
      REQUIRES(storage_->mutex);
  /// Moves series that nobody holds any more into `dead`, for the caller to destroy after the lock
  /// (they may hold readers). Does nothing to a family that keeps its series until removed.
  void collect_dead_locked(SeriesList& dead) REQUIRES(storage_->mutex);
  [[nodiscard]] bool empty_locked() const REQUIRES(storage_->mutex) { return index_.empty(); }
  /// Gives the family and its series to the sink; the family must not be empty.
  void visit_locked(Sink& sink) REQUIRES(storage_->mutex);
  void visit_series_locked(Sink& sink) REQUIRES(storage_->mutex);

 private:
  // Lets the index be searched with a string_view.
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    size_t operator()(std::string_view key) const noexcept {
      return std::hash<std::string_view>{}(key);
    }
  };

  void check_count(Values values) const;
  [[nodiscard]] std::shared_ptr<Series> make_locked(Values values, bool native)
      REQUIRES(storage_->mutex);
  [[nodiscard]] std::shared_ptr<Series> erase_locked(std::string_view key)
      REQUIRES(storage_->mutex);
  // Removal leaves gaps in series_; closed when they are most of it, so that removal costs O(1).
  void close_gaps_locked() REQUIRES(storage_->mutex);

  // Constant after construction.
  const std::shared_ptr<Storage> storage_;
  const std::shared_ptr<const FamilySpec> spec_;
  const Keep keep_;

  // In order of creation, null where one was removed.
  SeriesList series_ GUARDED_BY(storage_->mutex);
  // Joined label values to the position in series_.
  std::unordered_map<std::string, size_t, Hash, std::equal_to<>> index_ GUARDED_BY(storage_->mutex);
  std::vector<uint64_t> cumulative_ GUARDED_BY(storage_->mutex);
};

}  // namespace inferometer
