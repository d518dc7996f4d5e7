// For benches of what takes locks: until a process starts its second thread, glibc's mutexes and
// libstdc++'s reference counts do without atomic instructions. A service always has such a thread,
// so that is what the figures are about.
#pragma once

#include <thread>

namespace inferometer {

// Runs before main().
[[gnu::constructor]] [[maybe_unused]] static void start_a_thread() {
  std::thread([] {}).join();
}

}  // namespace inferometer
