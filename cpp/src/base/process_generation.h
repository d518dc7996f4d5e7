// Whether this process is still the one that created something.
#pragma once

#include <cstdint>

namespace inferometer {

/// Grows by one in the child at every fork(), so that an object which remembers it can tell, for
/// one load, that its threads stayed behind in the parent. Thread-safe.
[[nodiscard]] uint32_t process_generation() noexcept;

}  // namespace inferometer
