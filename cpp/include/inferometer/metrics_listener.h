// Serving /metrics natively: a listener that answers while Python holds the GIL.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "inferometer/registry.h"

namespace inferometer {

/// Makes the exposition. Called on a thread of the listener's own, one call at a time.
using ScrapeHandler = std::function<Exposition(const ScrapeRequest&)>;

/// What one listener may be made to hold. Times are in seconds.
struct ListenerLimits {
  /// At the limit, the connection that has waited longest for a request gives way to a new one; if
  /// all are being answered, the new one gets 503.
  size_t max_connections = 256;
  /// Longer request heads get 431.
  size_t max_header_bytes = 8192;
  /// From the first byte of a request to the end of its head; then 408.
  double request_timeout = 10.0;
  /// Between requests. Longer than the usual scrape intervals, so that scrapers keep connections.
  double idle_timeout = 300.0;
  /// From a request to the last byte of its reply.
  double reply_timeout = 30.0;
  /// Replies that slow readers have not taken yet, all together; beyond it the reader that began
  /// first is cut off. The newest reply is always served.
  size_t max_unread_bytes = size_t{64} << 20;
};

struct ListenerOptions {
  /// A name or an address; "0.0.0.0" and "::" are all interfaces.
  std::string host = "127.0.0.1";
  /// 0: the system picks one.
  int port = 8002;
  ListenerLimits limits;
  /// Told what went wrong with a reply or a connection. Called on the listener's threads: must
  /// return at once and not throw.
  std::function<void(const std::string&)> on_error;
};

/// An HTTP server for /metrics with two threads of its own: one for all connections, one that
/// renders. Scrapes that wait at the same time for the same headers share one rendering, which
/// starts after the last of them arrived. A handler that throws makes a 500, and on_error is told.
/// Without connections neither thread ever wakes up.
///
/// After fork() the child's copy is closed: its sockets are closed before fork() returns, it serves
/// nothing, and the parent goes on.
/// Thread-safe.
class MetricsListener {
 public:
  /// Binds and serves. Throws ConfigError for a host or port that cannot be bound (in use: it names
  /// the process, where the system tells) and for limits out of range.
  MetricsListener(ScrapeHandler handler, ListenerOptions options);
  /// Closes.
  ~MetricsListener();
  MetricsListener(const MetricsListener&) = delete;
  MetricsListener& operator=(const MetricsListener&) = delete;

  /// Ends the listener and all its connections. A handler that is running is waited for, for at
  /// most two seconds; then its thread is left behind. Not to be called by the handler. Again: does
  /// nothing.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;
  /// Whether this is the copy in a child of fork().
  [[nodiscard]] bool forked() const noexcept;
  /// As given.
  [[nodiscard]] const std::string& host() const noexcept;
  /// The port that was bound.
  [[nodiscard]] int port() const noexcept;
  /// Whether only this machine can reach it.
  [[nodiscard]] bool is_loopback() const noexcept;
  /// Where the metrics are, for a client on this machine: "http://127.0.0.1:8002/metrics".
  [[nodiscard]] const std::string& url() const noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace inferometer
