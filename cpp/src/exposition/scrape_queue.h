// Renders for scrapes, on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "inferometer/metrics_listener.h"

namespace inferometer {

/// Calls the handler for scrapes, one rendering at a time, so that neither a large exposition nor
/// its compression holds up connections. Scrapes with the same headers that are waiting when a
/// rendering starts share it: each gets values from after it asked, and a crowd of scrapers costs
/// two renderings. The thread sleeps while nothing is asked. Thread-safe.
class ScrapeQueue {
 public:
  /// Takes the rendering, null if the handler threw. Called on the queue's thread.
  using Done = std::function<void(const std::shared_ptr<const Exposition>&)>;
  using ErrorHandler = std::function<void(const std::string&)>;

  ScrapeQueue(ScrapeHandler handler, ErrorHandler on_error);
  /// Stops.
  ~ScrapeQueue();
  ScrapeQueue(const ScrapeQueue&) = delete;
  ScrapeQueue& operator=(const ScrapeQueue&) = delete;

  /// Has `done` called once; after stop() it is dropped instead.
  void add(std::string accept, std::string accept_encoding, Done done);
  /// Drops what waits, and waits for a handler that runs until `deadline_ns` on steady_clock();
  /// then the thread is left behind. No `done` is called or kept after this.
  void stop(int64_t deadline_ns) noexcept;

 private:
  struct State;
  const std::shared_ptr<State> state_;  // shared with a thread that may be left behind
};

}  // namespace inferometer
