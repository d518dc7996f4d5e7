// This process, as its kernel sees it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "monitor/source.h"

namespace inferometer {

/// prometheus_client's process_* families, from `proc`/self and `proc`/stat. Single-owner.
class ProcessSource final : public Source {
 public:
  explicit ProcessSource(std::string proc);
  void read(std::vector<Reading>& readings) override;

 private:
  void read_stat(std::vector<Reading>& readings);
  void read_files(std::vector<Reading>& readings) const;
  [[nodiscard]] std::optional<double> read_boot_time() const;

  const std::string proc_;
  const double ticks_per_second_;
  const double page_bytes_;
  /// Seconds since the epoch at which the machine started; read once, as it moves with the clock.
  std::optional<double> boot_time_;
};

}  // namespace inferometer
