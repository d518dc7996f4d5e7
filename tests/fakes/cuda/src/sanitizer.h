// AddressSanitizer, or nothing in its place.
#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define INFEROMETER_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define INFEROMETER_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef INFEROMETER_ADDRESS_SANITIZER
#define INFEROMETER_ADDRESS_SANITIZER 0
#endif

#if INFEROMETER_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace inferometer::emulation::sanitizer {

#if INFEROMETER_ADDRESS_SANITIZER

inline void poison(const void* begin, size_t bytes) { __asan_poison_memory_region(begin, bytes); }
inline void unpoison(const void* begin, size_t bytes) {
  __asan_unpoison_memory_region(begin, bytes);
}
/// To be called before a switch; `kept` is where what belongs to the stack that is left is written,
/// null if nobody comes back to it.
inline void leave_stack(void** kept, const void* bottom, size_t bytes) {
  __sanitizer_start_switch_fiber(kept, bottom, bytes);
}
/// To be called after a switch, with what was kept when this stack was left, null on a new one.
/// Tells which stack was left.
inline void enter_stack(void* kept, const void** bottom, size_t* bytes) {
  __sanitizer_finish_switch_fiber(kept, bottom, bytes);
}

#else

inline void poison(const void* /*begin*/, size_t /*bytes*/) {}
inline void unpoison(const void* /*begin*/, size_t /*bytes*/) {}
inline void leave_stack(void** /*kept*/, const void* /*bottom*/, size_t /*bytes*/) {}
inline void enter_stack(void* /*kept*/, const void** /*bottom*/, size_t* /*bytes*/) {}

#endif

}  // namespace inferometer::emulation::sanitizer
