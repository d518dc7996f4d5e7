#include "serving/arrival_reader.h"

#include <algorithm>
#include <utility>

#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

// The GIL changes hands every 5 ms where others want it: 1,024 arrivals a turn are 200,000 a second
// even then.
constexpr size_t kReadAhead = 1024;

// So far from the end of time that delays and costs can be added without a look.
constexpr int64_t kLatestNs = kNever / 2;

std::string seconds(int64_t ns) { return std::to_string(ns_to_seconds(ns)) + " s"; }

}  // namespace

ArrivalReader::ArrivalReader(std::unique_ptr<ArrivalSource> source, const Batching& batching,
                             int64_t until_ns)
    : max_rows_(batching.max_batch_size),
      levels_(batching.priority_levels),
      until_ns_(until_ns),
      ahead_(kReadAhead) {
  if (source) sources_.push_back(std::move(source));
}

void ArrivalReader::extend(std::unique_ptr<ArrivalSource> source, int64_t from_ns) {
  latest_ns_ = std::max(latest_ns_, from_ns);
  sources_.push_back(std::move(source));
}

void ArrivalReader::read() {
  next_ = filled_ = 0;
  while (filled_ == 0 && !sources_.empty()) {
    const size_t got = sources_.front()->read(ahead_);
    for (; filled_ < got; ++filled_) {
      const SimulatedArrival& arrival = ahead_[filled_];
      check(arrival);
      if (arrival.at_ns >= until_ns_) break;
    }
    if (filled_ < got || got == 0) sources_.pop_front();
  }
}

void ArrivalReader::check(const char* field, int64_t got, int64_t low, int64_t high) const {
  if (got >= low && got <= high) return;
  throw ConfigError("arrival " + std::to_string(checked_) + ": got " + field + " " +
                    std::to_string(got) + ", want " + std::to_string(low) + " to " +
                    std::to_string(high));
}

void ArrivalReader::check(const SimulatedArrival& arrival) {
  if (arrival.at_ns < latest_ns_) {
    throw ConfigError("arrival " + std::to_string(checked_) + ": got " + seconds(arrival.at_ns) +
                      (latest_ns_ == 0 ? ", want 0 or more"
                                       : " after " + seconds(latest_ns_) +
                                             ", want arrivals in the order of time"));
  }
  if (arrival.at_ns > kLatestNs) {
    throw ConfigError("arrival " + std::to_string(checked_) + ": got " + seconds(arrival.at_ns) +
                      ", want at most " + seconds(kLatestNs));
  }
  check("rows", arrival.rows, 1, max_rows_);
  check("priority", arrival.priority, 0, levels_);
  check("group", arrival.group, 0, kLimit - 1);
  check("nbytes", arrival.bytes, 0, int64_t{1} << 46);
  if (arrival.length != SimulatedArrival::kNoLength) check("length", arrival.length, 0, kLimit - 1);
  latest_ns_ = arrival.at_ns;
  ++checked_;
}

}  // namespace inferometer
