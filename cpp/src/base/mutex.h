// A mutex that clang's thread-safety analysis understands (libstdc++'s std::mutex carries no
// attributes), with the lock and condition variable that go with it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#if defined(__clang__)
#define INFEROMETER_TSA(x) __attribute__((x))
#else
#define INFEROMETER_TSA(x)
#endif
#define CAPABILITY(x) INFEROMETER_TSA(capability(x))
#define SCOPED_CAPABILITY INFEROMETER_TSA(scoped_lockable)
#define GUARDED_BY(x) INFEROMETER_TSA(guarded_by(x))
#define PT_GUARDED_BY(x) INFEROMETER_TSA(pt_guarded_by(x))
#define REQUIRES(...) INFEROMETER_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) INFEROMETER_TSA(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) INFEROMETER_TSA(acquire_capability(__VA_ARGS__))
#define RELEASE(...) INFEROMETER_TSA(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS INFEROMETER_TSA(no_thread_safety_analysis)

namespace inferometer {

/// Thread-safe by nature; lock it through MutexLock.
class CAPABILITY("mutex") Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;
  void lock() ACQUIRE() { mutex_.lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

/// Holds a Mutex for a scope; may be dropped and taken again inside it. Single-owner.
class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RELEASE() {
    if (held_) mutex_.unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  void lock() ACQUIRE() {
    mutex_.lock();
    held_ = true;
  }
  void unlock() RELEASE() {
    held_ = false;
    mutex_.unlock();
  }

 private:
  Mutex& mutex_;
  bool held_ = true;
};

/// A condition variable for Mutex. Waits may wake spuriously: loop on the condition. Thread-safe.
class CondVar {
 public:
  void wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  /// Waits until notified or until `deadline_ns` on steady_clock(). False when it is past.
  bool wait_until(Mutex& mutex, int64_t deadline_ns) REQUIRES(mutex) {
    const auto deadline =
        std::chrono::steady_clock::time_point(std::chrono::nanoseconds(deadline_ns));
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto status = cv_.wait_until(lock, deadline);
    lock.release();
    return status == std::cv_status::no_timeout;
  }
  void notify_one() noexcept { cv_.notify_one(); }
  void notify_all() noexcept { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace inferometer
