// Waits until nobody but this thread has anything to do.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace inferometer {

/// True if every other thread of this process sleeps (state S in /proc/self/task/ID/stat).
inline bool all_others_sleep() {
  const std::string own = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == own) continue;
    std::ifstream file(task.path() / "stat");
    const std::string stat{std::istreambuf_iterator<char>(file), {}};
    const size_t name_end = stat.rfind(')');  // the name may hold anything
    // One without a line is ending: it has no more business with anybody.
    if (name_end != std::string::npos && stat.compare(name_end + 2, 1, "S") != 0) return false;
  }
  return true;
}

/// An engine's workers look once more after everything that they did, and once when they start. A
/// test that is about who runs a batch lets them fall asleep first: nothing wakes them by itself.
inline void await_idle_workers() {
  while (!all_others_sleep()) std::this_thread::yield();
}

}  // namespace inferometer
