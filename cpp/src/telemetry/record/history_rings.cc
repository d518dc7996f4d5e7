#include "telemetry/record/history_rings.h"

namespace inferometer {

HistoryRing* HistoryRings::get(Metric metric, std::string_view labels, size_t width) {
  Index& index = index_[static_cast<size_t>(metric)];
  const auto found = index.find(labels);
  if (found != index.end()) return found->second.get();
  const size_t bytes = HistoryRing::bytes(labels, width, samples_);
  if (bytes > max_bytes_ - bytes_) return nullptr;
  auto ring = std::make_unique<HistoryRing>(metric, labels, width, samples_);
  HistoryRing* const made = ring.get();
  index.emplace(labels, std::move(ring));
  bytes_ += bytes;
  ++size_;
  return made;
}

const HistoryRing* HistoryRings::find(Metric metric, std::string_view label_text) const {
  const auto found = of(metric).find(label_text);
  return found == of(metric).end() ? nullptr : found->second.get();
}

void HistoryRings::forget(uint64_t now) {
  for (Index& index : index_) {
    for (auto entry = index.begin(); entry != index.end();) {
      if (!entry->second->empty_at(now)) {
        ++entry;
        continue;
      }
      bytes_ -= entry->second->bytes();
      --size_;
      entry = index.erase(entry);
    }
  }
}

}  // namespace inferometer
