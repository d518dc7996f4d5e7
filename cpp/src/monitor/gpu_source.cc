#include "monitor/gpu_source.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "base/process_generation.h"

namespace inferometer {
namespace {

constexpr int64_t kNobody = -1;

/// Whether this process may load NVML: its parent has not.
bool claim_nvml() noexcept {
  static std::atomic<int64_t> owner{kNobody};  // the generation of the process that loaded it
  const int64_t self = process_generation();
  int64_t seen = kNobody;
  // Relaxed: a generation publishes nothing.
  return owner.compare_exchange_strong(seen, self, std::memory_order_relaxed) || seen == self;
}

void add_by_device(const GpuState& gpu, std::vector<Reading>& readings) {
  const std::string device = std::to_string(gpu.index);
  const auto add = [&](Metric metric, const auto& field, double scale) {
    if (field) readings.push_back({metric, static_cast<double>(*field) * scale, {device}});
  };
  const auto add_clock = [&](size_t which, const std::optional<unsigned>& megahertz) {
    if (!megahertz) return;
    readings.push_back({Metric::kGpuClock,
                        static_cast<double>(*megahertz) * 1e6,
                        {device, std::string(kClockNames[which])}});
  };
  add(Metric::kGpuMemoryUsed, gpu.memory_used_bytes, 1);
  add(Metric::kGpuMemoryTotal, gpu.memory_total_bytes, 1);
  if (gpu.utilization_percent) {
    readings.push_back({Metric::kGpuUtilization, *gpu.utilization_percent / 100.0, {device}});
  }
  add_clock(0, gpu.sm_clock_megahertz);
  add_clock(1, gpu.memory_clock_megahertz);
  add(Metric::kGpuTemperature, gpu.temperature_celsius, 1);
}

}  // namespace

GpuSource::GpuSource(std::string library, const Clock& clock)
    : library_(std::move(library)), clock_(clock) {}

void GpuSource::read(std::vector<Reading>& readings) {
  if (!has_session()) return;
  const NvmlSession::Survey survey = session_->survey();
  most_gpus_ = std::max(most_gpus_, survey.gpus.size());
  wants_new_session_ = !survey.complete || survey.gpus.size() < most_gpus_;
  for (const GpuState& gpu : survey.gpus) {
    add_by_device(gpu, readings);
    if (!gpu.uuid.empty()) add_by_uuid(gpu, readings);
  }
}

bool GpuSource::has_session() {
  const int64_t now_ns = clock_.now_ns();
  if (wants_new_session_ && (!tried_ || now_ns >= retry_ns_) && claim_nvml()) {
    tried_ = true;
    retry_ns_ = now_ns + kRetry;
    session_.reset();  // before the next: NVML starts anew only after everybody has left
    session_ = NvmlSession::open(library_);
  }
  return session_ != nullptr;
}

double GpuSource::joules(const std::string& uuid, uint64_t millijoules) {
  const auto [found, fresh] = energy_.try_emplace(uuid, Energy{millijoules, 0});
  Energy& energy = found->second;
  if (!fresh) {
    const bool restarted = millijoules < energy.seen_millijoules;
    energy.total_millijoules += millijoules - (restarted ? 0 : energy.seen_millijoules);
    energy.seen_millijoules = millijoules;
  }
  return static_cast<double>(energy.total_millijoules) / 1000;
}

void GpuSource::add_by_uuid(const GpuState& gpu, std::vector<Reading>& readings) {
  const auto add = [&](Metric metric, double value) {
    readings.push_back({metric, value, {gpu.uuid}});
  };
  if (gpu.utilization_percent) add(Metric::kNvGpuUtilization, *gpu.utilization_percent / 100.0);
  if (gpu.memory_total_bytes) {
    add(Metric::kNvGpuMemoryTotal, static_cast<double>(*gpu.memory_total_bytes));
  }
  if (gpu.memory_used_bytes) {
    add(Metric::kNvGpuMemoryUsed, static_cast<double>(*gpu.memory_used_bytes));
  }
  if (gpu.power_milliwatts) add(Metric::kNvGpuPowerUsage, *gpu.power_milliwatts / 1000.0);
  if (gpu.power_limit_milliwatts) {
    add(Metric::kNvGpuPowerLimit, *gpu.power_limit_milliwatts / 1000.0);
  }
  if (gpu.energy_millijoules) {
    add(Metric::kNvEnergyConsumption, joules(gpu.uuid, *gpu.energy_millijoules));
  }
}

}  // namespace inferometer
