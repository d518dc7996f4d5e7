// Which threads this process has, by their ids in /proc. A joined thread may still be listed for a
// moment, so tests compare sets, never counts.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace inferometer {

inline std::set<std::string> thread_ids() {
  std::set<std::string> ids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    ids.insert(task.path().filename());
  }
  return ids;
}

// The threads that were started since `before` and still are.
inline std::vector<std::string> threads_since(const std::set<std::string>& before) {
  std::vector<std::string> started;
  const std::set<std::string> now = thread_ids();
  std::set_difference(now.begin(), now.end(), before.begin(), before.end(),
                      std::back_inserter(started));
  return started;
}

inline void await_end_of(const std::vector<std::string>& threads) {
  const auto listed = [](const std::string& id) { return thread_ids().contains(id); };
  while (std::any_of(threads.begin(), threads.end(), listed)) std::this_thread::yield();
}

}  // namespace inferometer
