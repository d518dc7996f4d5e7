// Threads that leave signals to the application.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace inferometer {

/// Starts a thread that leaves signals to the application's own threads (Python's main thread
/// handles Ctrl-C): all are blocked but those that a thread raises by its own fault, which would
/// otherwise kill the process past every handler (faulthandler's, a sanitizer's). Throws
/// std::system_error.
template <typename Function>
[[nodiscard]] std::thread start_quiet_thread(Function&& function) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) sigdelset(&all, fault);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread thread(std::forward<Function>(function));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
}

}  // namespace inferometer
