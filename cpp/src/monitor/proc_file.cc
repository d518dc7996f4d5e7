#include "monitor/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace inferometer {

std::optional<std::string> read_file(const std::string& path, size_t limit) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return std::nullopt;
  // The kernel's files say that they are empty: read until nothing comes.
  std::string text(limit, '\0');
  size_t filled = 0;
  bool good = true;
  while (filled < limit) {
    const ssize_t got = read(fd, text.data() + filled, limit - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      good = got == 0;
      break;
    }
    filled += static_cast<size_t>(got);
  }
  close(fd);
  if (!good) return std::nullopt;
  text.resize(filled);
  return text;
}

std::optional<std::string_view> after_key(std::string_view text, std::string_view key) noexcept {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.starts_with(key)) return line.substr(key.size());
    text.remove_prefix(line.size() < text.size() ? line.size() + 1 : line.size());
  }
  return std::nullopt;
}

std::string_view Words::next() noexcept {
  constexpr std::string_view kBlank = " \t\n";
  const size_t begin = rest_.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  rest_.remove_prefix(begin);
  const std::string_view word = rest_.substr(0, rest_.find_first_of(kBlank));
  rest_.remove_prefix(word.size());
  return word;
}

std::optional<uint64_t> Words::number() noexcept {
  const std::string_view word = next();
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

void Words::skip(int count) noexcept {
  for (; count > 0; --count) (void)next();
}

}  // namespace inferometer
