#include "backend/cuda/cuda_context.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "backend/cuda/cuda_error.h"
#include "base/mutex.h"
#include "base/process_generation.h"
#include "inferometer/errors.h"

namespace inferometer::cuda {
namespace {

constexpr int64_t kNobody = -1;
/// The generation of the process that made the first context.
std::atomic<int64_t> user{kNobody};

bool is_child() noexcept {
  const int64_t first = user.load(std::memory_order_relaxed);
  return first != kNobody && first != process_generation();
}

/// The latest context of each device. Thread-safe.
class Contexts {
 public:
  static Contexts& all() {
    static auto* const contexts = new Contexts();  // outlives whoever uses one as the process ends
    return *contexts;
  }
  template <typename Reset>
  std::shared_ptr<Context> of(int device, Reset reset) {
    MutexLock lock(mutex_);
    std::shared_ptr<Context>& latest = by_device_[device];
    if (latest && !latest->lost()) return latest;
    if (latest) reset(*latest);
    latest = std::make_shared<Context>(device);
    return latest;
  }

 private:
  Mutex mutex_;
  std::map<int, std::shared_ptr<Context>> by_device_ GUARDED_BY(mutex_);
};

}  // namespace

Context::Context(int device) noexcept : device_(device) {
  int64_t nobody = kNobody;
  user.compare_exchange_strong(nobody, process_generation());
}

void Context::refuse_in_child() {
  if (!is_child()) return;
  throw DeviceError(
      "a forked child cannot use GPUs after its parent has: load models after the fork alone, or "
      "start processes by \"spawn\"",
      DeviceFault::kOther);
}

std::shared_ptr<Context> Context::of(int device) {
  refuse_in_child();
  return Contexts::all().of(device, [](Context& lost) { lost.reset(); });
}

void Context::reset() {
  const std::unique_lock<std::shared_mutex> alone(in_use_);
  cuda::check(cudaSetDevice(device_), "choosing the device");
  cuda::check(cudaDeviceReset(), "resetting the device");
}

void Context::refuse_if_lost() const {
  if (!lost()) return;
  throw DeviceError("cuda:" + std::to_string(device_) +
                        " was lost by an earlier error; load the model again, and swap it in",
                    DeviceFault::kLost);
}

Context::Use Context::enter() {
  refuse_in_child();
  refuse_if_lost();  // before the lock too: many who come again and again would keep reset() out
  Use use(in_use_);
  refuse_if_lost();
  check(cudaSetDevice(device_), "choosing the device");
  return use;
}

std::optional<Context::Use> Context::try_enter() noexcept {
  if (is_child() || lost()) return std::nullopt;
  Use use(in_use_);
  // Failures but a lost context are no reason to keep what can be given back from any device.
  if (!lost()) note(cudaSetDevice(device_));
  if (lost()) return std::nullopt;
  return use;
}

void Context::check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  note(status);
  fail(status, what);
}

void Context::note(cudaError_t status) noexcept {
  if (status == cudaSuccess) return;
  // It is remembered for this thread, whose next launch, on any device, would find it.
  static_cast<void>(cudaGetLastError());
  if (is_sticky(status)) lost_ = true;
}

}  // namespace inferometer::cuda
