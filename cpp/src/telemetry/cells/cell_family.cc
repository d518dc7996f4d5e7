#include "telemetry/cells/cell_family.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/process_generation.h"
#include "inferometer/errors.h"
#include "telemetry/write/label_text.h"

namespace inferometer {
namespace {

// Positions of the names as they are shown. prometheus_client sorts them, and of a name that comes
// twice it shows the last value.
std::vector<size_t> order_of(const CellSpec& spec) {
  const std::vector<std::string>& names = spec.label_names;
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), size_t{0});
  if (!spec.sorted_labels) return order;
  std::ranges::stable_sort(order, {}, [&](size_t i) -> const std::string& { return names[i]; });
  std::vector<size_t> distinct;
  for (const size_t i : order) {
    if (!distinct.empty() && names[distinct.back()] == names[i]) distinct.pop_back();
    distinct.push_back(i);
  }
  return distinct;
}

}  // namespace

CellFamily::CellFamily(CellSpec spec, std::shared_ptr<Storage> storage)
    : storage_(std::move(storage)),
      spec_(std::make_shared<const CellSpec>(std::move(spec))),
      exposed_name_(spec_->type == CellType::kCounter ? spec_->name + "_total" : spec_->name),
      order_(order_of(*spec_)) {
  const std::vector<std::string_view> overflow(spec_->label_names.size(), kOverflowLabel);
  append_labels(overflow_, overflow);
  if (spec_->label_names.empty()) (void)add("");
}

void CellFamily::append_labels(std::string& text, LabelValues values) const {
  for (const size_t i : order_) append_label(text, spec_->label_names[i], values[i]);
}

std::shared_ptr<ValueCell> CellFamily::get(LabelValues values) {
  check_label_count(exposed_name_, spec_->label_names, values);
  thread_local std::string labels;  // one allocation a thread, not one a call
  labels.clear();
  append_labels(labels, values);
  if (std::shared_ptr<ValueCell> cell = find(labels)) return cell;
  check_label_values(exposed_name_, spec_->label_names, values);
  if (std::shared_ptr<ValueCell> cell = add(labels)) return cell;
  add_shared(storage_->dropped_series, 1);
  return add(overflow_);
}

std::shared_ptr<ValueCell> CellFamily::find(std::string_view labels) const {
  MutexLock lock(cells_mutex());
  const auto found = index_.find(labels);
  return found == index_.end() ? nullptr : cells_[(*found)->slot_];
}

bool CellFamily::full() const {
  const size_t others = index_.size() - index_.count(std::string_view(overflow_));
  // Relaxed: a number that somebody set some time.
  return others >= storage_->max_series_per_family.load(std::memory_order_relaxed);
}

std::shared_ptr<ValueCell> CellFamily::add(std::string_view labels) {
  auto cell = std::make_shared<ValueCell>(spec_, labels, storage_);  // destroyed without the lock
  MutexLock lock(cells_mutex());
  if (const auto found = index_.find(labels); found != index_.end()) {
    return cells_[(*found)->slot_];
  }
  if (full() && labels != overflow_) return nullptr;
  cell->slot_ = static_cast<uint32_t>(cells_.size());
  cells_.push_back(cell);
  try {
    index_.insert(cell.get());
  } catch (...) {
    cells_.pop_back();
    throw;
  }
  return cell;
}

bool CellFamily::has_room_for(LabelValues values) const {
  check_label_count(exposed_name_, spec_->label_names, values);
  std::string labels;
  append_labels(labels, values);
  MutexLock lock(cells_mutex());
  return !full() || labels == overflow_ || index_.find(labels) != index_.end();
}

bool CellFamily::contains(std::span<const std::string> names,
                          std::span<const std::string> values) const {
  const auto ordered = in_order_of(spec_->label_names, names, values);
  if (!ordered) return false;
  std::string labels;
  append_labels(labels, *ordered);
  return find(labels) != nullptr;
}

void CellFamily::remove(LabelValues values) {
  if (spec_->label_names.empty()) {
    throw ConfigError("metric \"" + exposed_name_ + "\" has no labels, want one with labels");
  }
  check_label_count(exposed_name_, spec_->label_names, values);
  std::string labels;
  append_labels(labels, values);
  Owned removed(1);  // destroyed without the lock
  MutexLock lock(cells_mutex());
  const auto found = index_.find(labels);
  if (found == index_.end()) return;
  removed[0] = cells_[(*found)->slot_];
  removed = keep_or_drop(std::move(removed));
  cells_[(*found)->slot_] = nullptr;
  index_.erase(found);
  if (index_.size() < cells_.size() / 2) close_gaps();
}

CellFamily::Owned CellFamily::keep_or_drop(Owned removed) {
  forget_visits_of_parent();
  if (visits_ == 0) return removed;
  kept_.insert(kept_.end(), removed.begin(), removed.end());
  return {};
}

void CellFamily::forget_visits_of_parent() const {
  if (visits_generation_ == process_generation()) return;
  visits_generation_ = process_generation();
  visits_ = 0;
}

void CellFamily::close_gaps() {
  std::erase(cells_, nullptr);
  for (size_t i = 0; i < cells_.size(); ++i) cells_[i]->slot_ = static_cast<uint32_t>(i);
}

void CellFamily::clear() {
  if (spec_->label_names.empty()) return;
  Owned removed;  // destroyed without the lock
  MutexLock lock(cells_mutex());
  removed = keep_or_drop(Owned(cells_.begin(), cells_.end()));
  index_.clear();
  cells_.clear();
}

bool CellFamily::empty() const {
  MutexLock lock(cells_mutex());
  return index_.empty();
}

void CellFamily::begin_visit(std::vector<ValueCell*>& cells) const {
  MutexLock lock(cells_mutex());
  cells.reserve(index_.size());
  for (const auto& cell : cells_) {
    if (cell != nullptr) cells.push_back(cell.get());
  }
  forget_visits_of_parent();
  ++visits_;
}

void CellFamily::end_visit() const noexcept {
  Owned dropped;  // destroyed without the lock
  MutexLock lock(cells_mutex());
  if (--visits_ == 0) dropped.swap(kept_);
}

}  // namespace inferometer
