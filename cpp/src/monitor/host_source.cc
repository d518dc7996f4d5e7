#include "monitor/host_source.h"

#include <optional>
#include <utility>

#include "monitor/proc_file.h"

namespace inferometer {
namespace {

// A counter of ticks may fall a little (idle and iowait do, when a processor goes offline).
uint64_t growth(uint64_t from, uint64_t to) noexcept { return to > from ? to - from : 0; }

}  // namespace

void HostSource::read(std::vector<Reading>& readings) {
  read_utilization(readings);
  read_memory(readings);
}

void HostSource::read_utilization(std::vector<Reading>& readings) {
  const std::optional<std::string> text = read_file(proc_ + "/stat", kProcFileBytes);
  const auto line = text ? after_key(*text, "cpu ") : std::nullopt;
  if (!line) return;
  // user nice system idle iowait irq softirq steal; the guests' that follow are part of the first.
  enum : uint8_t { kIdle = 3, kIoWait = 4, kFields = 8 };
  Ticks now;
  Words words(*line);
  for (int field = 0; field < kFields; ++field) {
    const std::optional<uint64_t> ticks = words.number();
    if (!ticks) return;
    (field == kIdle || field == kIoWait ? now.idle : now.busy) += *ticks;
  }
  const Ticks last = std::exchange(last_, now);
  const auto busy = static_cast<double>(growth(last.busy, now.busy));
  const auto idle = static_cast<double>(growth(last.idle, now.idle));
  if (busy + idle > 0) readings.push_back({Metric::kNvCpuUtilization, busy / (busy + idle), {}});
}

void HostSource::read_memory(std::vector<Reading>& readings) const {
  const std::optional<std::string> text = read_file(proc_ + "/meminfo", kProcFileBytes);
  if (!text) return;
  const auto bytes = [&text](std::string_view key) -> std::optional<double> {
    const auto line = after_key(*text, key);
    const auto kilobytes = line ? Words(*line).number() : std::nullopt;
    if (!kilobytes) return std::nullopt;
    return static_cast<double>(*kilobytes) * 1024;
  };
  const auto total = bytes("MemTotal:");
  const auto available = bytes("MemAvailable:");
  if (!total) return;
  readings.push_back({Metric::kNvCpuMemoryTotal, *total, {}});
  if (!available || *available > *total) return;
  readings.push_back({Metric::kNvCpuMemoryUsed, *total - *available, {}});
}

}  // namespace inferometer
