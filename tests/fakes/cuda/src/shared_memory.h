// The __shared__ variables of a program or library.
#pragma once

#include <cstddef>

#include "cuda_emulation_launch.h"

namespace inferometer::emulation {

/// What memory holds that nobody has written: not-a-number as float and double, -1 as an integer.
inline constexpr unsigned char kFillByte = 0xFF;

/// Fills them, and the redzones between them, which AddressSanitizer has nothing against here.
void fill(const SharedMemory& shared);
[[nodiscard]] bool is_filled(const SharedMemory& shared);

}  // namespace inferometer::emulation
