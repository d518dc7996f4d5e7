// Reading the kernel's text files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace inferometer {

/// As much as is read of most files: what is wanted stands at the beginning.
inline constexpr size_t kProcFileBytes = 16384;

/// The beginning of a file, up to `limit` bytes; nothing if it cannot be read.
[[nodiscard]] std::optional<std::string> read_file(const std::string& path, size_t limit);

/// What follows `key` on the line of `text` that begins with it; nothing if there is none.
[[nodiscard]] std::optional<std::string_view> after_key(std::string_view text,
                                                        std::string_view key) noexcept;

/// The words of a text, between spaces and tabs. Single-owner; the text must outlive it.
class Words {
 public:
  explicit Words(std::string_view text) noexcept : rest_(text) {}
  /// The next one; empty at the end.
  std::string_view next() noexcept;
  /// The next one as a number; nothing if it is none or does not fit.
  std::optional<uint64_t> number() noexcept;
  void skip(int count) noexcept;

 private:
  std::string_view rest_;
};

}  // namespace inferometer
