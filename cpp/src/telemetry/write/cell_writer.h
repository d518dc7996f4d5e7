// The families of inferometer.prometheus as text, byte for byte as prometheus_client writes them.
#pragma once

#include <cstdint>
#include <string>

#include "telemetry/cells/cell_family.h"

namespace inferometer {

enum class CellFormat : uint8_t {
  kPlain,        ///< Text 0.0.4 and 1.0.0, which are the same for these names.
  kOpenMetrics,  ///< OpenMetrics 1.0, without the `# EOF` at its end.
};

struct CellWriting {
  CellFormat format = CellFormat::kPlain;
  bool created = true;  ///< Whether `_created` samples are written.
};

/// Appends a counter, gauge, summary or histogram (info and state sets are Python's to write: their
/// labels may need escaping). Names must be in the legacy character set, and without colons for
/// OpenMetrics, so that no escaping scheme changes them.
void append_cell_family(std::string& out, const CellFamily& family, const CellWriting& writing);

}  // namespace inferometer
