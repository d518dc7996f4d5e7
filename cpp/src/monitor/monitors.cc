#include "inferometer/monitors.h"

#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "inferometer/errors.h"
#include "inferometer/registry.h"
#include "monitor/gpu_source.h"
#include "monitor/host_source.h"
#include "monitor/process_source.h"
#include "monitor/sampler.h"

namespace inferometer {
namespace {

std::string nvml_library(const std::string& option) {
  if (!option.empty()) return option;
  // Not where privileges were raised: whoever sets the variable names code that is run.
  const char* const variable =
      secure_getenv("INFEROMETER_NVML_LIBRARY");  // NOLINT(concurrency-mt-unsafe)
  return variable != nullptr && *variable != '\0' ? variable : "libnvidia-ml.so.1";
}

}  // namespace

void attach_monitors(Registry& registry, const MonitorOptions& options) {
  if (options.proc.empty()) throw ConfigError("monitors: got an empty proc, want a directory");
  const Clock& clock = options.clock != nullptr ? *options.clock : steady_clock();
  const auto attach = [&](std::string_view name, Sampler::MakeSource make_source) {
    registry.add_refresher(name, std::make_shared<Sampler>(std::move(make_source), clock));
  };
  if (options.gpu) {
    attach("gpu", [library = nvml_library(options.nvml_library), &clock] {
      return std::make_unique<GpuSource>(library, clock);
    });
  }
  if (options.host) {
    attach("host", [proc = options.proc] { return std::make_unique<HostSource>(proc); });
  }
  if (options.process) {
    attach("process", [proc = options.proc] { return std::make_unique<ProcessSource>(proc); });
  }
}

}  // namespace inferometer
