// Text into memory that has room for it.
#pragma once

#include <cstring>
#include <string_view>

namespace inferometer {

/// Writes at `out` and returns the end.
[[nodiscard]] inline char* put_text(char* out, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(out, text.data(), text.size());  // an empty view may be of null
  return out + text.size();
}

}  // namespace inferometer
