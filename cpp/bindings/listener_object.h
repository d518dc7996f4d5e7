// A metrics listener as Python holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "inferometer/metrics_listener.h"
#include "inferometer/registry.h"

namespace inferometer::python {

/// The errors of a listener on their way to Python's logging. The listener's threads must never
/// wait for the GIL, so a Python thread comes for them: the newest, and how many there were since
/// it came last. Thread-safe.
class ErrorBox {
 public:
  using Errors = std::pair<std::string, int64_t>;

  void put(const std::string& error);
  /// Waits for an error; none once closed.
  std::optional<Errors> take();
  void close();

 private:
  Mutex mutex_;
  CondVar changed_;
  std::string newest_ GUARDED_BY(mutex_);
  int64_t count_ GUARDED_BY(mutex_) = 0;
  bool closed_ GUARDED_BY(mutex_) = false;
};

/// A listener that serves a registry. Thread-safe.
class ListenerObject {
 public:
  ListenerObject(std::shared_ptr<const Registry> registry, std::string host, int port);
  ~ListenerObject();
  ListenerObject(const ListenerObject&) = delete;
  ListenerObject& operator=(const ListenerObject&) = delete;

  [[nodiscard]] const MetricsListener& listener() const noexcept { return listener_; }
  void close() noexcept;
  std::optional<ErrorBox::Errors> next_errors();

 private:
  const std::shared_ptr<ErrorBox> errors_;
  MetricsListener listener_;
};

}  // namespace inferometer::python
