// The GPUs of the machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inferometer/clock.h"
#include "monitor/nvml_session.h"
#include "monitor/source.h"

namespace inferometer {

/// nv_gpu_*, nv_energy_consumption (by gpu_uuid) and gpu_* (by device_id), from NVML. NVML is
/// loaded at the first reading; where it is missing, or has lost a GPU, it is started again every
/// kRetry, readings permitting.
///
/// Energy is counted from the first reading of each GPU on, through its absences; a counter of the
/// GPU that begins again (its driver was loaded anew) counts from 0.
///
/// A process whose parent has loaded NVML, here or in another GpuSource, reads nothing: NVML does
/// not survive fork().
/// Single-owner.
class GpuSource final : public Source {
 public:
  static constexpr int64_t kRetry = 60 * kNanosPerSecond;

  /// The clock must outlive this.
  GpuSource(std::string library, const Clock& clock);
  void read(std::vector<Reading>& readings) override;

 private:
  struct Energy {
    uint64_t seen_millijoules = 0;
    uint64_t total_millijoules = 0;
  };

  [[nodiscard]] bool has_session();
  [[nodiscard]] double joules(const std::string& uuid, uint64_t millijoules);
  void add_by_uuid(const GpuState& gpu, std::vector<Reading>& readings);

  const std::string library_;
  const Clock& clock_;
  std::unique_ptr<NvmlSession> session_;
  bool wants_new_session_ = true;
  bool tried_ = false;
  int64_t retry_ns_ = 0;
  size_t most_gpus_ = 0;                  // that one survey found
  std::map<std::string, Energy> energy_;  // by UUID
};

}  // namespace inferometer
