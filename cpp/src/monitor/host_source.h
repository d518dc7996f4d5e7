// The machine's processors and memory.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "monitor/source.h"

namespace inferometer {

/// nv_cpu_utilization, nv_cpu_memory_total_bytes and nv_cpu_memory_used_bytes, counted as Triton
/// counts them, from `proc`/stat and `proc`/meminfo. The utilization is that since the last
/// reading; the first one covers the time since the machine started. Single-owner.
class HostSource final : public Source {
 public:
  explicit HostSource(std::string proc) : proc_(std::move(proc)) {}
  void read(std::vector<Reading>& readings) override;

 private:
  struct Ticks {
    uint64_t busy = 0;
    uint64_t idle = 0;
  };
  void read_utilization(std::vector<Reading>& readings);
  void read_memory(std::vector<Reading>& readings) const;

  const std::string proc_;
  Ticks last_;
};

}  // namespace inferometer
