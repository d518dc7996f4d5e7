#include "telemetry/record/series.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "inferometer/clock.h"

namespace inferometer {
namespace {

// All words are read and written relaxed: each is a value of its own, and a reading promises
// nothing about several of them at one instant. Readings follow each other under the storage's
// lock, so no word is ever seen going back.
double load_real(const Word& word) noexcept { return std::bit_cast<double>(load_relaxed(word)); }
int64_t load_integer(const Word& word) noexcept { return static_cast<int64_t>(load_relaxed(word)); }

double call(const std::function<double()>& reader) noexcept {
  try {
    return reader();
  } catch (...) {
    return 0;
  }
}

template <typename T>
T combined(Combine how, T a, T b) noexcept {
  return how == Combine::kMax ? std::max(a, b) : a + b;
}

constexpr int64_t kNanosPerMicro = 1000;

int64_t rounded(double value) noexcept { return std::isfinite(value) ? std::llround(value) : 0; }

}  // namespace

Series::Series(std::shared_ptr<Storage> storage, std::shared_ptr<const FamilySpec> spec,
               std::string labels, std::optional<int> native_schema)
    : label_text_(std::move(labels)), spec_(std::move(spec)), storage_(std::move(storage)) {
  view_.labels = label_text_;
  view_.created_ns = wall_clock().now_ns();
  if (native_schema) native_ = std::make_unique<NativeCells>(storage_, *native_schema);
  base_ = storage_->arena.at(storage_->arena.allocate(spec_->words()));
}

Series::~Series() { storage_->arena.free(storage_->arena.offset_of(base_), spec_->words()); }

void Series::attach(const Word* stripe) {
  MutexLock lock(storage_->mutex);
  stripes_.push_back(stripe);
}

void Series::detach(const Word* stripe) {
  MutexLock lock(storage_->mutex);
  const auto found = std::ranges::find(stripes_, stripe);
  if (found == stripes_.end()) return;
  stripes_.erase(found);
  if (spec_->type == MetricType::kGauge) return;
  // Under the lock, so that a reading sees these numbers in the stripe or in the base, never in
  // both or neither.
  for (size_t i = 0; i < spec_->words(); ++i) add_shared(base_[i], load_relaxed(stripe[i]));
}

std::unique_ptr<NativeCells> Series::attach_native() {
  if (native_ == nullptr) return nullptr;
  auto cells = std::make_unique<NativeCells>(storage_, native_->schema());
  MutexLock lock(storage_->mutex);
  natives_.push_back(cells.get());
  return cells;
}

void Series::detach_native(const NativeCells& cells) {
  MutexLock lock(storage_->mutex);
  if (std::erase(natives_, &cells) > 0) native_->absorb(cells);
}

std::shared_ptr<ExemplarCells> Series::exemplars() {
  // Acquire pairs with the release below: the pointer is set by then, and stays.
  if (has_exemplars_.load(std::memory_order_acquire)) return exemplars_;
  MutexLock lock(storage_->mutex);
  if (!exemplars_) {
    const size_t buckets = std::max<size_t>(spec_->bounds.size(), 1);
    exemplars_ = std::make_shared<ExemplarCells>(storage_, buckets);
    has_exemplars_.store(true, std::memory_order_release);
  }
  return exemplars_;
}

std::vector<ExemplarReading> Series::read_exemplars() const {
  std::vector<ExemplarReading> readings;
  if (!has_exemplars_.load(std::memory_order_acquire)) return readings;
  const size_t buckets = std::max<size_t>(spec_->bounds.size(), 1);
  readings.reserve(buckets);
  for (size_t i = 0; i < buckets; ++i) readings.push_back(exemplars_->read(i));
  return readings;
}

uint64_t Series::attach_reader(std::function<double()> reader) {
  MutexLock lock(storage_->mutex);
  readers_.emplace_back(next_reader_, std::move(reader));
  return next_reader_++;
}

void Series::detach_reader(uint64_t id) {
  std::function<double()> reader;  // destroyed when the lock is free again
  MutexLock lock(storage_->mutex);
  const auto found = std::ranges::find(readers_, id, [](const auto& entry) { return entry.first; });
  if (found == readers_.end()) return;
  reader = std::move(found->second);
  readers_.erase(found);
}

Number Series::read() const {
  MutexLock lock(storage_->mutex);
  return read_locked();
}

Number Series::read_locked() const {
  const double computed = read_readers_locked();
  switch (spec_->unit) {
    case Unit::kOne:
      return Number::of(combined(spec_->combine, read_integer_locked(), rounded(computed)));
    case Unit::kNanoseconds:
      return Number::of(
          combined(spec_->combine, static_cast<double>(read_integer_locked()) / 1e9, computed));
    case Unit::kWholeMicros:
      return Number::of(
          combined(spec_->combine, read_integer_locked() / kNanosPerMicro, rounded(computed)));
    case Unit::kFloat:
      break;
    case Unit::kPlainFloat:
      return Number::of_plain(combined(spec_->combine, load_real(base_[0]), computed));
  }
  return Number::of(combined(spec_->combine, load_real(base_[0]), computed));
}

int64_t Series::read_integer_locked() const {
  int64_t value = load_integer(base_[0]);
  for (const Word* stripe : stripes_) {
    value = combined(spec_->combine, value, load_integer(stripe[0]));
  }
  return value;
}

double Series::read_readers_locked() const {
  double value = 0;
  for (const auto& [id, reader] : readers_) value = combined(spec_->combine, value, call(reader));
  return value;
}

uint64_t Series::total_locked(size_t index) const {
  uint64_t total = load_relaxed(base_[index]);
  for (const Word* stripe : stripes_) total += load_relaxed(stripe[index]);
  return total;
}

Number Series::read_histogram_locked(std::span<uint64_t> cumulative, NativeReading* native) const {
  uint64_t count = 0;
  for (size_t i = 0; i < cumulative.size(); ++i) {
    count += total_locked(i);
    cumulative[i] = count;
  }
  if (native != nullptr && native_ != nullptr) {
    native_->read_into(*native);
    for (const NativeCells* cells : natives_) cells->read_into(*native);
    native->decide(cumulative);
  }
  return read_sum_locked(cumulative.size());
}

Number Series::read_sum_locked(size_t sum) const {
  if (spec_->unit == Unit::kFloat) return Number::of(load_real(base_[sum]));
  const auto total = static_cast<int64_t>(total_locked(sum));
  if (spec_->unit == Unit::kOne) return Number::of(total);
  if (spec_->unit == Unit::kWholeMicros) return Number::of(total / kNanosPerMicro);
  return Number::of(static_cast<double>(total) / 1e9);
}

}  // namespace inferometer
