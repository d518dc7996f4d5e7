#include "stats_dict.h"

#include <string>

namespace py = pybind11;

namespace inferometer::python {
namespace {

py::dict distribution(const EngineStats::Distribution& from) {
  py::dict into;
  into["count"] = from.count;
  into["mean"] = from.mean;
  into["p50"] = from.p50;
  into["p95"] = from.p95;
  into["p99"] = from.p99;
  return into;
}

}  // namespace

py::dict to_dict(const EngineStats& stats) {
  py::dict requests;
  for (size_t i = 0; i < kOutcomes; ++i) {
    requests[py::str(std::string(outcome_name(static_cast<Outcome>(i))))] = stats.requests[i];
  }
  py::dict batches;
  for (size_t i = 0; i < kReleaseReasons; ++i) {
    batches[py::str(std::string(release_reason_name(static_cast<ReleaseReason>(i))))] =
        stats.batches[i];
  }
  py::dict into;
  into["recording"] = stats.recording;
  into["requests"] = requests;
  into["batches"] = batches;
  into["latency"] = distribution(stats.latency);
  into["queue"] = distribution(stats.queue);
  into["compute"] = distribution(stats.compute);
  into["batch_size"] = distribution(stats.batch_size);
  into["busy_seconds"] = stats.busy_seconds;
  into["wasted_seconds"] = stats.wasted_seconds;
  into["telemetry_seconds"] = stats.telemetry_seconds;
  into["queue_depth"] = stats.queue_depth;
  into["in_flight"] = stats.in_flight;
  return into;
}

}  // namespace inferometer::python
