// Metrics of the machine and the process: GPUs, CPU, memory, file descriptors.
#pragma once

#include <string>

#include "inferometer/clock.h"

namespace inferometer {

class Registry;

struct MonitorOptions {
  bool gpu = true;      ///< nv_gpu_*, nv_energy_consumption, gpu_*: through NVML.
  bool host = true;     ///< nv_cpu_*: the whole machine.
  bool process = true;  ///< process_*, named as prometheus_client names them.
  std::string proc = "/proc";
  /// What dlopen() is given. Empty: the environment's INFEROMETER_NVML_LIBRARY, which programs with
  /// raised privileges ignore, else libnvidia-ml.so.1.
  std::string nvml_library;
  const Clock* clock = nullptr;  ///< null: steady_clock(). Must outlive the registry.
};

/// Gives the registry these families. They are sampled at the start of an exposition, at most every
/// 2 seconds: there is no thread and no timer, and attaching reads and loads nothing. Expositions
/// that meet another one sampling show what is there.
///
/// What cannot be read is absent, never 0: a family, one field of one GPU, a GPU that is gone. It
/// comes back when it can be read again; NVML itself is tried again once a minute.
///
/// After fork() the child samples anew for itself, except that NVML does not survive a fork: if the
/// parent has loaded it, the child leaves the GPU families out.
///
/// A monitor that the registry has already is left as it is. Throws ConfigError if `proc` is empty.
/// Thread-safe.
void attach_monitors(Registry& registry, const MonitorOptions& options = {});

}  // namespace inferometer
