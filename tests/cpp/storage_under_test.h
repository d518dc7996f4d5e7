// The memory that families and cells under test live in.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "telemetry/cells/cell_family.h"
#include "telemetry/record/storage.h"

namespace inferometer {

inline std::shared_ptr<Storage> make_storage(size_t max_series_per_family = 1000,
                                             size_t arena_bytes = size_t{8} << 20) {
  return std::make_shared<Storage>(arena_bytes, max_series_per_family);
}

inline CellFamily family_of(CellSpec spec) { return {std::move(spec), make_storage()}; }

}  // namespace inferometer
