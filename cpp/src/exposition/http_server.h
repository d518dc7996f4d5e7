// Connections on one thread: accepts, reads requests, writes replies. Knows no pages.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "exposition/http_message.h"
#include "exposition/listening_socket.h"
#include "inferometer/metrics_listener.h"

namespace inferometer {

/// HTTP/1.0 and 1.1 with keep-alive and pipelining. The handler answers when it likes, on any
/// thread; meanwhile other connections are served. Replies are written in pieces of 64 kB, each
/// when the socket takes it, so that neither a large reply nor a slow reader holds up the others.
/// One timer, set to the earliest deadline, ends connections that are too slow; without connections
/// it is off. The limits are those of ListenerLimits.
/// Thread-safe.
class HttpServer {
 public:
  using ErrorHandler = std::function<void(const std::string&)>;

  /// Serves at once.
  HttpServer(ListeningSocket& socket, HttpHandler handler, const ListenerLimits& limits,
             ErrorHandler on_error);
  /// Stops. Every HttpRespond must be gone.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Closes the port and all connections, and ends the thread. One caller at a time; again: does
  /// nothing. Replies that come later are dropped.
  void stop() noexcept;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
  std::thread thread_;
};

}  // namespace inferometer
