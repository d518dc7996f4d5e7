#include "telemetry/cells/value_cell.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "inferometer/errors.h"
#include "telemetry/record/histogram_cells.h"
#include "telemetry/write/label_text.h"
#include "telemetry/write/number.h"

namespace inferometer {
namespace {

using SortedLabels = std::map<std::string_view, std::string_view>;

std::string text_of(SortedLabels::const_iterator from, SortedLabels::const_iterator to) {
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (; from != to; ++from) {
    names.emplace_back(from->first);
    values.emplace_back(from->second);
  }
  return label_text(names, values);
}

}  // namespace

std::shared_ptr<const CellBounds> CellBounds::of(std::vector<double> upper) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool comparable = std::ranges::none_of(upper, [](double x) { return std::isnan(x); });
  if (!comparable || !std::ranges::is_sorted(upper)) {
    throw ConfigError("Buckets not in sorted order");
  }
  if (!upper.empty() && upper.back() != kInfinity) upper.push_back(kInfinity);
  if (upper.size() < 2) throw ConfigError("Must have at least two buckets");
  auto result = std::make_shared<CellBounds>();
  for (const double bound : upper) result->text.push_back(float_text(bound));
  result->upper = std::move(upper);
  return result;
}

CellLabels CellLabels::of(std::span<const std::string> names, std::span<const std::string> values,
                          std::string_view own_label) {
  SortedLabels sorted;
  for (size_t i = 0; i < names.size(); ++i) sorted[names[i]] = values[i];
  const auto cut = own_label.empty() ? sorted.cend() : sorted.lower_bound(own_label);
  CellLabels labels;
  labels.text = text_of(sorted.cbegin(), cut);
  labels.cut_inside = cut != sorted.cbegin() && cut != sorted.cend();
  if (labels.cut_inside) labels.text += ',';
  if (labels.text.size() > std::numeric_limits<uint32_t>::max()) {
    throw ConfigError("label values: got more than 4 GiB, want less");
  }
  labels.cut = static_cast<uint32_t>(labels.text.size());
  labels.text += text_of(cut, sorted.cend());
  labels.text.shrink_to_fit();
  return labels;
}

ValueCell::ValueCell(CellLabels labels, std::shared_ptr<const CellBounds> bounds)
    : labels_(std::move(labels)),
      bounds_(std::move(bounds)),
      buckets_(bounds_ == nullptr ? nullptr : std::make_unique<Word[]>(bounds_->upper.size())) {}

std::optional<size_t> ValueCell::observe_bucket(double value) noexcept {
  add_shared_double(value_, value);
  if (std::isnan(value)) return std::nullopt;
  const size_t index = bucket_index(std::span<const double>(bounds_->upper), value);
  add_shared(buckets_[index], 1);
  return index;
}

void ValueCell::set_created(double timestamp) noexcept {
  store(created_, timestamp);
  CreatedState state = CreatedState::kUnset;
  if (!created_state_.compare_exchange_strong(state, CreatedState::kBeingWritten)) {
    created_state_.store(CreatedState::kNumberOnly, std::memory_order_relaxed);
    return;
  }
  char text[kMaxNumberChars];
  const auto size = static_cast<size_t>(write_float(text, timestamp) - text);
  if (size > created_text_.size()) {
    created_state_.store(CreatedState::kNumberOnly, std::memory_order_relaxed);
    return;
  }
  std::copy_n(text, size, created_text_.begin());
  created_size_ = static_cast<uint8_t>(size);
  // Whoever set it meanwhile has the last word.
  state = CreatedState::kBeingWritten;
  created_state_.compare_exchange_strong(state, CreatedState::kKept, std::memory_order_release,
                                         std::memory_order_relaxed);
}

ValueCell::Rare& ValueCell::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void ValueCell::set_exemplar(size_t index, CellExemplar exemplar) {
  MutexLock lock(cells_mutex());
  auto& exemplars = rare().exemplars;
  if (exemplars.empty()) exemplars.resize(bounds_ == nullptr ? 1 : bounds_->upper.size());
  exemplars.at(index) = std::move(exemplar);
  has_exemplars_.store(true, std::memory_order_release);
}

std::optional<CellExemplar> ValueCell::exemplar(size_t index) const {
  if (!has_exemplars()) return std::nullopt;
  MutexLock lock(cells_mutex());
  return rare_->exemplars.at(index);
}

void ValueCell::set_info(LabelPairs labels) {
  MutexLock lock(cells_mutex());
  rare().info.swap(labels);
}

LabelPairs ValueCell::info() const {
  MutexLock lock(cells_mutex());
  return rare_ == nullptr ? LabelPairs() : rare_->info;
}

}  // namespace inferometer
