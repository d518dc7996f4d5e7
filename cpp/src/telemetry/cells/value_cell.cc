#include "telemetry/cells/value_cell.h"

#include <cmath>
#include <span>

#include "inferometer/clock.h"
#include "telemetry/record/histogram_cells.h"

namespace inferometer {
namespace {

size_t extra_words(const CellSpec& spec) noexcept {
  if (spec.type == CellType::kHistogram) return spec.bounds->upper.size();
  return spec.type == CellType::kSummary ? 1 : 0;
}

std::unique_ptr<Word[]> make_words(size_t count) {
  return count == 0 ? nullptr : std::make_unique<Word[]>(count);
}

}  // namespace

ValueCell::ValueCell(std::shared_ptr<const CellSpec> spec, std::string_view labels,
                     const std::shared_ptr<Storage>& storage)
    : spec_(std::move(spec)),
      labels_(labels),
      words_(make_words(extra_words(*spec_))),
      native_(spec_->type == CellType::kHistogram && spec_->native_histograms
                  ? std::make_unique<NativeCells>(storage, kDefaultNativeSchema)
                  : nullptr) {
  set_created(static_cast<double>(wall_clock().now_ns()) / 1e9);
}

size_t ValueCell::bucket_of(double value) const noexcept {
  const std::span<const double> bounds = spec_->bounds->upper;
  return std::isnan(value) ? bounds.size() - 1 : bucket_index(bounds, value);
}

ValueCell::Rare& ValueCell::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void ValueCell::set_exemplar(size_t index, CellExemplar exemplar) {
  MutexLock lock(cells_mutex());
  auto& exemplars = rare().exemplars;
  if (exemplars.empty()) {
    exemplars.resize(spec_->bounds == nullptr ? 1 : spec_->bounds->upper.size());
  }
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
