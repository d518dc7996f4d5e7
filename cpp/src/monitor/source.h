// What monitors find out, apart from how it is shown.
#pragma once

#include <string>
#include <vector>

#include "telemetry/catalogue.h"

namespace inferometer {

/// The present value of one series, in the exposed unit. Integers up to 2^53 are exact.
struct Reading {
  Metric metric;
  double value = 0;
  std::vector<std::string> labels;
};

/// Reads one part of the machine. What it cannot read it leaves out.
/// Single-owner: a Sampler calls it, one thread at a time.
class Source {
 public:
  virtual ~Source() = default;
  virtual void read(std::vector<Reading>& readings) = 0;
};

}  // namespace inferometer
