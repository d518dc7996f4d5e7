#include "exposition/open_sockets.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "base/mutex.h"

namespace inferometer {
namespace {

struct Watched {
  // Held from before fork() to after it. Nothing else is locked under it.
  Mutex mutex;
  std::vector<int> sockets GUARDED_BY(mutex);
};

void before_fork();
void after_fork_in_parent();
void after_fork_in_child();

Watched& watched() {
  // Never destroyed: a child may fork while the process ends.
  static Watched* const instance = [] {
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    return new Watched;
  }();
  return *instance;
}

void before_fork() NO_THREAD_SAFETY_ANALYSIS { watched().mutex.lock(); }
void after_fork_in_parent() NO_THREAD_SAFETY_ANALYSIS { watched().mutex.unlock(); }
void after_fork_in_child() NO_THREAD_SAFETY_ANALYSIS {
  Watched& list = watched();
  for (const int fd : list.sockets) ::close(fd);
  list.sockets.clear();
  list.mutex.unlock();
}

// Room first: what is open must be in the list.
template <typename Open>
int add(Open&& open) {
  Watched& list = watched();
  MutexLock lock(list.mutex);
  list.sockets.reserve(list.sockets.size() + 1);
  const int fd = open();
  if (fd >= 0) list.sockets.push_back(fd);
  return fd;
}

}  // namespace

OpenSockets::Guard::Guard() NO_THREAD_SAFETY_ANALYSIS { watched().mutex.lock(); }
OpenSockets::Guard::~Guard() NO_THREAD_SAFETY_ANALYSIS { watched().mutex.unlock(); }

int OpenSockets::open(int family, int type) {
  return add([=] { return ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); });
}

int OpenSockets::accept(int listening) {
  return add([=] { return ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); });
}

void OpenSockets::close(int fd) noexcept {
  close(fd, [](int socket) { ::close(socket); });
}

void OpenSockets::forget(int fd) noexcept NO_THREAD_SAFETY_ANALYSIS {
  std::erase(watched().sockets, fd);
}

}  // namespace inferometer
