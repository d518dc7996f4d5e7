// What the tests of the monitors look at instead of the machine: files of their own, and a clock.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/clock.h"
#include "monitor/source.h"

namespace inferometer {

/// Stands still until it is moved. Thread-safe.
class StillClock final : public Clock {
 public:
  [[nodiscard]] int64_t now_ns() const noexcept override { return now_ns_; }
  void pass(int64_t ns) { now_ns_ += ns; }

 private:
  std::atomic<int64_t> now_ns_{1};
};

/// A directory that goes with its owner. Single-owner.
class FileTree {
 public:
  FileTree() {
    std::string pattern = testing::TempDir() + "inferometer-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = pattern;
  }
  ~FileTree() { std::filesystem::remove_all(root_); }
  FileTree(const FileTree&) = delete;
  FileTree& operator=(const FileTree&) = delete;

  [[nodiscard]] std::string root() const { return root_.string(); }
  [[nodiscard]] std::string path(std::string_view name) const { return (root_ / name).string(); }
  /// Readers see the old text or the new, never a part.
  void write(std::string_view name, std::string_view text) const {
    const std::filesystem::path file = root_ / name;
    std::filesystem::create_directories(file.parent_path());
    const std::string fresh = file.string() + ".new";
    std::ofstream(fresh) << text;
    std::filesystem::rename(fresh, file);
  }
  void remove(std::string_view name) const { std::filesystem::remove_all(root_ / name); }

 private:
  std::filesystem::path root_;
};

/// One reading a line: name, labels, value.
inline std::string text_of(const std::vector<Reading>& readings) {
  std::ostringstream text;
  for (const Reading& reading : readings) {
    text << metric_info(reading.metric).name;
    for (const std::string& label : reading.labels) text << ' ' << label;
    if (metric_info(reading.metric).unit == Unit::kOne) {
      text << ' ' << static_cast<int64_t>(reading.value) << '\n';
    } else {
      text << ' ' << std::to_string(reading.value) << '\n';
    }
  }
  return text.str();
}

inline std::string read_text(Source& source) {
  std::vector<Reading> readings;
  source.read(readings);
  return text_of(readings);
}

}  // namespace inferometer
