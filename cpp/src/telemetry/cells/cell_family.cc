#include "telemetry/cells/cell_family.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace inferometer {
namespace {

// The label that the samples of a type have besides the series' own.
std::string_view own_label(const CellFamilySpec& spec) noexcept {
  return spec.type == CellType::kHistogram ? "le" : "";
}

}  // namespace

std::shared_ptr<ValueCell> CellFamily::make_cell(
    const std::vector<std::string>& label_values) const {
  return std::make_shared<ValueCell>(
      CellLabels::of(spec_.label_names, label_values, own_label(spec_)), spec_.bounds);
}

void CellFamily::add(std::shared_ptr<ValueCell> cell) {
  MutexLock lock(cells_mutex());
  cell->slot_ = cells_.size();
  cells_.push_back(std::move(cell));
}

void CellFamily::remove(const ValueCell& cell) {
  std::shared_ptr<ValueCell> removed;  // destroyed without the lock
  MutexLock lock(cells_mutex());
  if (cell.slot_ >= cells_.size() || cells_[cell.slot_].get() != &cell) return;
  removed = std::exchange(cells_[cell.slot_], nullptr);
  if (++gaps_ > cells_.size() / 2) close_gaps();
}

void CellFamily::close_gaps() {
  std::erase(cells_, nullptr);
  for (size_t i = 0; i < cells_.size(); ++i) cells_[i]->slot_ = i;
  gaps_ = 0;
}

void CellFamily::clear() {
  Cells removed;  // destroyed without the lock
  MutexLock lock(cells_mutex());
  removed.swap(cells_);
  gaps_ = 0;
}

CellFamily::Cells CellFamily::cells() const {
  Cells result;
  MutexLock lock(cells_mutex());
  result.reserve(cells_.size() - gaps_);
  std::ranges::copy_if(cells_, std::back_inserter(result),
                       [](const auto& cell) { return cell != nullptr; });
  return result;
}

}  // namespace inferometer
