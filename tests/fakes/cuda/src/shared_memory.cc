#include "shared_memory.h"

#include <cstdint>
#include <limits>

namespace inferometer::emulation {
namespace {

// shared_memory.ld begins and ends at multiples of it.
using Word [[gnu::may_alias]] = uint64_t;
constexpr Word kFilled = std::numeric_limits<uint64_t>::max();

Word* word_at(char* pointer) { return reinterpret_cast<Word*>(pointer); }

}  // namespace

__attribute__((no_sanitize("address"))) void fill(const SharedMemory& shared) {
  for (Word* word = word_at(shared.begin); word < word_at(shared.end); ++word) *word = kFilled;
}

__attribute__((no_sanitize("address"))) bool is_filled(const SharedMemory& shared) {
  for (const Word* word = word_at(shared.begin); word < word_at(shared.end); ++word) {
    if (*word != kFilled) return false;
  }
  return true;
}

}  // namespace inferometer::emulation
