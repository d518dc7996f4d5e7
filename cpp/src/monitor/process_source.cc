#include "monitor/process_source.h"

#include <dirent.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "monitor/proc_file.h"

namespace inferometer {
namespace {

// btime stands behind a line with a number for each interrupt.
constexpr size_t kMachineStatBytes = size_t{1} << 20;

std::optional<double> count_entries(const std::string& directory) {
  struct Close {
    void operator()(DIR* dir) const noexcept { closedir(dir); }
  };
  const std::unique_ptr<DIR, Close> dir(opendir(directory.c_str()));
  if (dir == nullptr) return std::nullopt;
  double count = 0;
  // Only one thread reads this stream.
  while (const dirent* entry = readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe)
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

}  // namespace

ProcessSource::ProcessSource(std::string proc)
    : proc_(std::move(proc)),
      ticks_per_second_(static_cast<double>(sysconf(_SC_CLK_TCK))),
      page_bytes_(static_cast<double>(sysconf(_SC_PAGESIZE))) {}

void ProcessSource::read(std::vector<Reading>& readings) {
  read_stat(readings);
  read_files(readings);
}

void ProcessSource::read_stat(std::vector<Reading>& readings) {
  const std::optional<std::string> text = read_file(proc_ + "/self/stat", kProcFileBytes);
  if (!text) return;
  // The second field is the program's name in parentheses, which may contain anything.
  const size_t name_end = text->rfind(')');
  if (name_end == std::string::npos) return;
  Words words(std::string_view(*text).substr(name_end + 1));  // from field 3 on
  words.skip(11);
  const auto user = words.number();  // 14
  const auto system = words.number();
  words.skip(6);
  const auto start = words.number();  // 22
  const auto virtual_bytes = words.number();
  const auto resident_pages = words.number();
  if (!resident_pages || !virtual_bytes || !start || !system || !user) return;
  const auto seconds = [this](uint64_t ticks) {
    return static_cast<double>(ticks) / ticks_per_second_;
  };
  readings.push_back({Metric::kProcessCpu, seconds(*user + *system), {}});
  readings.push_back({Metric::kProcessVirtualMemory, static_cast<double>(*virtual_bytes), {}});
  readings.push_back(
      {Metric::kProcessResidentMemory, static_cast<double>(*resident_pages) * page_bytes_, {}});
  if (!boot_time_) boot_time_ = read_boot_time();
  if (boot_time_) {
    readings.push_back({Metric::kProcessStartTime, *boot_time_ + seconds(*start), {}});
  }
}

void ProcessSource::read_files(std::vector<Reading>& readings) const {
  // Counts the descriptor that reads the directory, as everybody does who counts this way.
  if (const auto open_fds = count_entries(proc_ + "/self/fd")) {
    readings.push_back({Metric::kProcessOpenFds, *open_fds, {}});
  }
  const std::optional<std::string> limits = read_file(proc_ + "/self/limits", kProcFileBytes);
  const auto line = limits ? after_key(*limits, "Max open files") : std::nullopt;
  // "unlimited" is no number, so the family is absent then.
  if (const auto soft = line ? Words(*line).number() : std::nullopt) {
    readings.push_back({Metric::kProcessMaxFds, static_cast<double>(*soft), {}});
  }
}

std::optional<double> ProcessSource::read_boot_time() const {
  const std::optional<std::string> text = read_file(proc_ + "/stat", kMachineStatBytes);
  const auto line = text ? after_key(*text, "btime ") : std::nullopt;
  const auto seconds = line ? Words(*line).number() : std::nullopt;
  if (!seconds) return std::nullopt;
  return static_cast<double>(*seconds);
}

}  // namespace inferometer
