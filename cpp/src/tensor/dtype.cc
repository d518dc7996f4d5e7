#include "inferometer/dtype.h"

#include <array>

namespace inferometer {
namespace {

struct Entry {
  std::string_view name;
  size_t size;
};

// Indexed by DType.
constexpr std::array<Entry, 12> kTable{{{"bool", 1},
                                        {"uint8", 1},
                                        {"uint16", 2},
                                        {"uint32", 4},
                                        {"uint64", 8},
                                        {"int8", 1},
                                        {"int16", 2},
                                        {"int32", 4},
                                        {"int64", 8},
                                        {"float16", 2},
                                        {"float32", 4},
                                        {"float64", 8}}};

}  // namespace

size_t dtype_size(DType dtype) noexcept { return kTable[static_cast<size_t>(dtype)].size; }

std::string_view dtype_name(DType dtype) noexcept {
  return kTable[static_cast<size_t>(dtype)].name;
}

std::optional<DType> parse_dtype(std::string_view name) noexcept {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

}  // namespace inferometer
