#include "call_record.h"

#include "cuda_emulation.h"

namespace inferometer::emulation {
namespace {

bool may_be_any(CallKind kind) {
  return kind == CallKind::kSurvey || kind == CallKind::kWork || kind == CallKind::kWait;
}

}  // namespace

std::optional<PlannedError> CallRecord::note(std::string_view name, CallKind kind) {
  const auto found = counts_.find(name);
  if (found == counts_.end()) {
    counts_.emplace(name, 1);
  } else {
    ++found->second;
  }
  std::optional<PlannedError> due;
  for (auto plan = plans_.begin(); plan != plans_.end();) {
    const bool named = plan->name == name;
    const bool meant = named || (plan->name == kAnyCall && may_be_any(kind));
    if (!meant || --plan->left > 0) {
      ++plan;
      continue;
    }
    if (!due.has_value()) due = PlannedError{plan->error, named};
    plan = plans_.erase(plan);
  }
  return due;
}

void CallRecord::plan(std::string_view name, uint64_t nth, int error) {
  if (nth > 0) plans_.push_back({std::string(name), nth, error});
}

size_t CallRecord::forget_plans() {
  const size_t left = plans_.size();
  plans_.clear();
  return left;
}

uint64_t CallRecord::count(std::string_view name) const {
  if (name != kAnyCall) {
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
  }
  uint64_t all = 0;
  for (const auto& [called, times] : counts_) all += times;
  return all;
}

void CallRecord::forget_counts() { counts_.clear(); }

}  // namespace inferometer::emulation
