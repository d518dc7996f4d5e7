// The series of one metric that inferometer.prometheus made.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "telemetry/cells/cell_lock.h"
#include "telemetry/cells/value_cell.h"

namespace inferometer {

/// prometheus_client's metric types.
enum class CellType : uint8_t { kCounter, kGauge, kSummary, kHistogram, kInfo, kStateSet };

/// What all series of a family share.
struct CellFamilySpec {
  CellType type = CellType::kCounter;
  std::string name;  ///< Without `_total`.
  std::string help;  ///< Not escaped.
  std::string unit;
  std::vector<std::string> label_names;
  std::shared_ptr<const CellBounds> bounds;  ///< A histogram's.
};

/// The series in the order in which they were made. The Python object of a metric owns its family
/// and the family owns the cells, so a writer that holds the family needs neither the object nor
/// the GIL. Thread-safe.
class CellFamily {
 public:
  using Cells = std::vector<std::shared_ptr<ValueCell>>;

  explicit CellFamily(CellFamilySpec spec) : spec_(std::move(spec)) {}

  [[nodiscard]] const CellFamilySpec& spec() const noexcept { return spec_; }
  /// A cell for these label values, not yet one of the family's.
  [[nodiscard]] std::shared_ptr<ValueCell> make_cell(
      const std::vector<std::string>& label_values) const;
  /// Shows the cell from now on. It must not be in a family yet.
  void add(std::shared_ptr<ValueCell> cell) EXCLUDES(cells_mutex());
  /// Shows it no more; a cell that is not there is left alone.
  void remove(const ValueCell& cell) EXCLUDES(cells_mutex());
  void clear() EXCLUDES(cells_mutex());
  /// The cells that are shown now.
  [[nodiscard]] Cells cells() const EXCLUDES(cells_mutex());
  /// Whether some value is a Python function's result, which only Python can ask for.
  [[nodiscard]] bool left_to_python() const noexcept {
    return left_to_python_.load(std::memory_order_relaxed);
  }
  void leave_to_python() noexcept { left_to_python_.store(true, std::memory_order_relaxed); }

 private:
  void close_gaps() REQUIRES(cells_mutex());

  const CellFamilySpec spec_;
  std::atomic<bool> left_to_python_{false};
  Cells cells_ GUARDED_BY(cells_mutex());  // null where one was removed
  size_t gaps_ GUARDED_BY(cells_mutex()) = 0;
};

}  // namespace inferometer
