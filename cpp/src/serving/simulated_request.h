// A request of a simulation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "inferometer/request.h"
#include "inferometer/simulation.h"
#include "serving/simulated_world.h"

namespace inferometer {

/// A request without rows: how many there are, and who it is in the trace. Single-owner.
class SimulatedWorld::SimulatedRequest final : public Request {
 public:
  uint64_t id = 0;
  int64_t cancel_ns = kNever;
  int64_t length = 0;
  size_t batch = TracedRequest::kNoBatch;
};

}  // namespace inferometer
