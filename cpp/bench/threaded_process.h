// For benches of what takes locks: until a process starts its second thread, glibc's mutexes and
// libstdc++'s reference counts do without atomic instructions. A service always has such a thread,
// so that is what the figures are about.
#pragma once

#include <thread>

namespace inferometer {

inline const bool kThreadedProcess = [] {
  std::thread([] {}).join();
  return true;
}();

}  // namespace inferometer
