#include "base/process_generation.h"

#include <pthread.h>

#include <atomic>

namespace inferometer {
namespace {

std::atomic<uint32_t> generation{0};

const int registered =
    pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

uint32_t process_generation() noexcept {
  (void)registered;  // keeps the registration in the binary
  return generation.load(std::memory_order_relaxed);
}

}  // namespace inferometer
