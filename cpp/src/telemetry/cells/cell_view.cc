#include "telemetry/cells/cell_view.h"

#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "telemetry/write/label_text.h"

namespace inferometer {
namespace {

int64_t nanoseconds(double seconds) noexcept {
  constexpr double kLimit = 9e9;  // int64 nanoseconds reach to the year 2262
  return std::abs(seconds) < kLimit ? std::llround(seconds * 1e9) : 0;
}

SeriesView view_of(const ValueCell& cell) noexcept {
  return {cell.labels(), 0, nanoseconds(cell.created())};
}

// The exemplars of a cell as views; what they refer to is kept here. Single-owner.
class Exemplars {
 public:
  // One for each of `count` buckets; a counter has one.
  void read(const ValueCell& cell, size_t count) {
    views_.clear();
    if (!cell.has_exemplars()) return;
    views_.resize(count);
    texts_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const std::optional<CellExemplar> newest = cell.exemplar(i);
      if (!newest) continue;
      texts_[i].clear();
      for (const auto& [name, value] : newest->labels) append_label(texts_[i], name, value);
      views_[i] = {texts_[i], newest->value, nanoseconds(newest->timestamp)};
    }
  }
  [[nodiscard]] const std::vector<ExemplarView>& views() const noexcept { return views_; }
  [[nodiscard]] const ExemplarView* first() const noexcept {
    return views_.empty() ? nullptr : views_.data();
  }

 private:
  std::vector<ExemplarView> views_;
  std::vector<std::string> texts_;
};

// Shows histograms of one family. Single-owner.
class HistogramVisitor {
 public:
  HistogramVisitor(const CellBounds& bounds, Sink& sink)
      : bounds_(bounds), sink_(sink), cumulative_(bounds.upper.size()) {}

  void visit(const ValueCell& cell) {
    // Before the counts: what an exemplar tells is then in them too.
    exemplars_.read(cell, cumulative_.size());
    uint64_t count = 0;
    for (size_t i = 0; i < cumulative_.size(); ++i) {
      count += cell.bucket(i);
      cumulative_[i] = count;
    }
    NativeReading native(kDefaultNativeSchema);
    NativeHistogramView native_view;
    if (cell.native() != nullptr) {
      cell.native()->read_into(native);
      native.decide(cumulative_);
      native.limit_buckets(kMaxNativeBuckets);
      native_view = native.view();
    }
    sink_.histogram(view_of(cell),
                    {bounds_.upper, bounds_.text, cumulative_, Number::of(cell.value()),
                     exemplars_.views(), cell.native() == nullptr ? nullptr : &native_view});
  }

 private:
  const CellBounds& bounds_;
  Sink& sink_;
  std::vector<uint64_t> cumulative_;
  Exemplars exemplars_;
};

}  // namespace

FamilyView view_of(const CellFamily& family) noexcept {
  const CellSpec& spec = family.spec();
  return {family.exposed_name(), spec.help, metric_type(spec.type), spec.unit};
}

bool visit_cells(const CellFamily& family, Sink& sink) {
  const CellSpec& spec = family.spec();
  bool any = false;
  const auto visit = [&](auto show) {
    family.visit([&](const ValueCell& cell) {
      if (!any) sink.family(view_of(family));
      any = true;
      show(cell);
    });
  };
  if (spec.type == CellType::kHistogram) {
    HistogramVisitor visitor(*spec.bounds, sink);
    visit([&](const ValueCell& cell) { visitor.visit(cell); });
  } else if (spec.type == CellType::kSummary) {
    visit([&](const ValueCell& cell) {
      sink.summary(view_of(cell), {{}, {}, cell.count(), cell.value()});
    });
  } else {
    Exemplars exemplars;
    visit([&](const ValueCell& cell) {
      exemplars.read(cell, 1);
      sink.scalar(view_of(cell), Number::of(cell.value()), exemplars.first());
    });
  }
  return any;
}

}  // namespace inferometer
