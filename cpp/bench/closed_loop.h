// Threads that call in turn as fast as they are answered, and how long each call took.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <latch>
#include <thread>
#include <vector>

namespace inferometer {

/// What all threads together saw. A value type.
struct ClosedLoop {
  double calls_per_second = 0;
  double p50_seconds = 0;
  double p99_seconds = 0;
  double slowest_share = 0;  // calls of the slowest thread, of the fastest one's
};

/// Runs `threads` threads for `length`; each calls what `make_caller()` gave it (on
/// the thread that calls this), again and again.
/// Nobody's calls are counted before everybody has made a few.
template <typename MakeCaller>
ClosedLoop closed_loop(size_t threads, std::chrono::nanoseconds length,
                       const MakeCaller& make_caller) {
  using Clock = std::chrono::steady_clock;
  constexpr int kWarmCalls = 20;
  std::vector<std::vector<Clock::duration>> taken(threads);
  std::latch ready(static_cast<std::ptrdiff_t>(threads) + 1);
  std::vector<std::thread> running;
  running.reserve(threads);
  for (size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i, call = make_caller()]() mutable {
      std::vector<Clock::duration> own;
      own.reserve(1 << 16);
      for (int warm = 0; warm < kWarmCalls; ++warm) call();
      ready.arrive_and_wait();
      auto last = Clock::now();
      for (const auto until = last + length; last < until;) {
        call();
        const auto now = Clock::now();
        own.push_back(now - last);
        last = now;
      }
      taken[i] = std::move(own);
    });
  }
  ready.arrive_and_wait();
  const auto start = Clock::now();
  for (std::thread& thread : running) thread.join();
  const std::chrono::duration<double> elapsed = Clock::now() - start;

  std::vector<double> all;
  for (const auto& own : taken) {
    for (const std::chrono::duration<double> one : own) all.push_back(one.count());
  }
  const auto quantile = [&](double share) {
    const auto at =
        all.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
    std::nth_element(all.begin(), at, all.end());
    return *at;
  };
  const auto [slowest, fastest] =
      std::ranges::minmax_element(taken, {}, [](const auto& own) { return own.size(); });
  return {static_cast<double>(all.size()) / elapsed.count(), quantile(0.5), quantile(0.99),
          static_cast<double>(slowest->size()) / static_cast<double>(fastest->size())};
}

}  // namespace inferometer
