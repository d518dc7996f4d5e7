// Text that never changes, in one word of its owner.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>

#include "inferometer/errors.h"

namespace inferometer {

/// There is one of these in every series, of which there are many: a std::string would take 32
/// bytes beside its text. Const-safe.
class CompactText {
 public:
  CompactText() = default;
  /// Throws ConfigError for more than 4 GiB.
  explicit CompactText(std::string_view text) {
    if (text.empty()) return;
    if (text.size() > std::numeric_limits<uint32_t>::max()) {
      throw ConfigError("label values: got more than 4 GiB, want less");
    }
    const auto size = static_cast<uint32_t>(text.size());
    bytes_ = std::make_unique_for_overwrite<char[]>(sizeof size + size);
    std::memcpy(bytes_.get(), &size, sizeof size);
    std::memcpy(bytes_.get() + sizeof size, text.data(), size);
  }

  [[nodiscard]] std::string_view view() const noexcept {
    if (bytes_ == nullptr) return {};
    uint32_t size = 0;
    std::memcpy(&size, bytes_.get(), sizeof size);
    return {bytes_.get() + sizeof size, size};
  }

 private:
  std::unique_ptr<char[]> bytes_;  // the size, then the text; null if it is empty
};

}  // namespace inferometer
