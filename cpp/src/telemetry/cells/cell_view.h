// An application's metric as every format shows it.
#pragma once

#include "telemetry/cells/cell_family.h"
#include "telemetry/write/sink.h"

namespace inferometer {

/// Whether native code can show the family: Python shows info metrics and state sets, and what
/// needs a Python function's result.
[[nodiscard]] inline bool is_native(const CellFamily& family) noexcept {
  const CellType type = family.spec().type;
  return type != CellType::kInfo && type != CellType::kStateSet && !family.left_to_python();
}

/// What a sink is told about the family itself; valid as long as the family.
[[nodiscard]] FamilyView view_of(const CellFamily& family) noexcept;

/// Gives a native family and its cells to the sink, nothing if there are no cells. Returns whether
/// there were any.
bool visit_cells(const CellFamily& family, Sink& sink);

}  // namespace inferometer
