// The series of one metric of the application.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "telemetry/cells/cell_lock.h"
#include "telemetry/cells/cell_spec.h"
#include "telemetry/cells/value_cell.h"
#include "telemetry/record/label_values.h"
#include "telemetry/record/storage.h"

namespace inferometer {

/// The value that each label of the overflow series has.
inline constexpr std::string_view kOverflowLabel = "_overflow";

/// The series in the order in which they were made, at most Storage::max_series_per_family of them:
/// label values that come then share one more series, the overflow series, so that labels made of
/// what clients send cannot fill the memory. Handles own family and cell by shared_ptr: recording
/// needs neither the registry nor the GIL.
/// Lock order: Storage::mutex, then cells_mutex(). Thread-safe.
class CellFamily {
 public:
  /// A family without labels has its one cell from the beginning.
  CellFamily(CellSpec spec, std::shared_ptr<Storage> storage);

  [[nodiscard]] const CellSpec& spec() const noexcept { return *spec_; }
  /// As exposed: counters end in `_total`.
  [[nodiscard]] const std::string& exposed_name() const noexcept { return exposed_name_; }

  /// The cell of these label values, made if there is none. In a full family that is the cell of
  /// the overflow series, and the label values count as dropped. Throws ConfigError for a wrong
  /// number of values and for values that are not UTF-8.
  [[nodiscard]] std::shared_ptr<ValueCell> get(LabelValues values) EXCLUDES(cells_mutex());
  /// Whether these label values have a cell, or would get one of their own.
  [[nodiscard]] bool has_room_for(LabelValues values) const EXCLUDES(cells_mutex());
  /// Whether one of the series has these labels, in any order.
  [[nodiscard]] bool contains(std::span<const std::string> names,
                              std::span<const std::string> values) const EXCLUDES(cells_mutex());
  /// Shows it no more. Throws ConfigError for a wrong number of values or a family without labels.
  void remove(LabelValues values) EXCLUDES(cells_mutex());
  /// Nothing happens to a family without labels: its one series stays.
  void clear() EXCLUDES(cells_mutex());
  /// Visits the cells that are shown now, in order. The lock is not held meanwhile: cells that are
  /// removed are seen to the end, and kept until the visits that may see them are over. (Counting
  /// references instead would write to every cell, which takes longer than to write its text.)
  template <typename Visitor>
  void visit(Visitor&& visitor) const EXCLUDES(cells_mutex()) {
    std::vector<ValueCell*> cells;
    const Visit visit(*this, cells);
    for (ValueCell* const cell : cells) visitor(*cell);
  }
  [[nodiscard]] bool empty() const EXCLUDES(cells_mutex());

  /// Whether some value is a Python function's result, which only Python can ask for.
  [[nodiscard]] bool left_to_python() const noexcept {
    return left_to_python_.load(std::memory_order_relaxed);
  }
  void leave_to_python() noexcept { left_to_python_.store(true, std::memory_order_relaxed); }

 private:
  using Owned = std::vector<std::shared_ptr<ValueCell>>;

  // Between its beginning and its end no cell is destroyed. Single-owner.
  class Visit {
   public:
    Visit(const CellFamily& family, std::vector<ValueCell*>& cells) : family_(family) {
      family_.begin_visit(cells);
    }
    ~Visit() { family_.end_visit(); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    const CellFamily& family_;
  };

  void begin_visit(std::vector<ValueCell*>& cells) const EXCLUDES(cells_mutex());
  void end_visit() const noexcept EXCLUDES(cells_mutex());
  // Keeps removed cells for visits, or hands them on to be destroyed without the lock.
  [[nodiscard]] Owned keep_or_drop(Owned removed) REQUIRES(cells_mutex());
  // Visits of a forked process' parent never end here.
  void forget_visits_of_parent() const REQUIRES(cells_mutex());

  // Lets the index be searched with the text of labels. Not noexcept: then the standard library
  // keeps the hashes, which are in cells that lie far apart.
  struct Hash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    size_t operator()(std::string_view labels) const {
      return std::hash<std::string_view>{}(labels);
    }
    size_t operator()(const ValueCell* cell) const { return (*this)(cell->labels()); }
  };
  struct Equal {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): the standard's name
    static std::string_view text(std::string_view labels) noexcept { return labels; }
    static std::string_view text(const ValueCell* cell) noexcept { return cell->labels(); }
    bool operator()(const auto& a, const auto& b) const noexcept { return text(a) == text(b); }
  };

  void append_labels(std::string& text, LabelValues values) const;
  [[nodiscard]] std::shared_ptr<ValueCell> find(std::string_view labels) const
      EXCLUDES(cells_mutex());
  // The cell of these labels, which others may have made meanwhile; null if the family is full.
  [[nodiscard]] std::shared_ptr<ValueCell> add(std::string_view labels) EXCLUDES(cells_mutex());
  // The overflow series does not count.
  [[nodiscard]] bool full() const REQUIRES(cells_mutex());
  // Removal leaves gaps in cells_; closed when they are most of it, so that removal costs O(1).
  void close_gaps() REQUIRES(cells_mutex());

  // Constant after construction.
  const std::shared_ptr<Storage> storage_;
  const std::shared_ptr<const CellSpec> spec_;
  const std::string exposed_name_;
  std::vector<size_t> order_;  // positions in label_names as they are shown
  std::string overflow_;       // the labels of the overflow series

  std::atomic<bool> left_to_python_{false};
  std::deque<std::shared_ptr<ValueCell>> cells_ GUARDED_BY(cells_mutex());  // null: removed
  std::unordered_set<ValueCell*, Hash, Equal> index_ GUARDED_BY(cells_mutex());
  mutable size_t visits_ GUARDED_BY(cells_mutex()) = 0;
  mutable uint32_t visits_generation_ GUARDED_BY(cells_mutex()) = 0;
  mutable Owned kept_ GUARDED_BY(cells_mutex());  // removed during visits
};

}  // namespace inferometer
