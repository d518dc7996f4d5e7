// An HTTP server on a port of this machine, and handlers for it.
#pragma once

#include <memory>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "exposition/http_server.h"
#include "exposition/listening_socket.h"
#include "http_client.h"

namespace inferometer::testing {

inline const std::string kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

inline HttpReply reply_of(std::string text) {
  HttpReply reply;
  reply.body = std::make_shared<const std::string>(std::move(text));
  return reply;
}

// Says what was asked.
inline void echo(const HttpRequest& request, const HttpRespond& respond) {
  respond(reply_of(request.method + " " + request.target));
}

// A server and what it complained about.
struct Served {
  explicit Served(HttpHandler handler, const ListenerLimits& limits = {})
      : Served(std::make_unique<ListeningSocket>("127.0.0.1", 0), std::move(handler), limits) {}
  Served(std::unique_ptr<ListeningSocket> socket, HttpHandler handler, const ListenerLimits& limits)
      : port(socket->port()), server(*socket, std::move(handler), limits, [this](const auto& text) {
          {
            const MutexLock lock(mutex);
            errors.push_back(text);
          }
          told.release();
        }) {}

  const int port;
  Mutex mutex;
  std::vector<std::string> errors;
  std::counting_semaphore<> told{0};
  HttpServer server;
};

// Keeps the requests, to be answered when the test likes.
struct Withheld {
  HttpHandler handler() {
    return [this](const HttpRequest&, HttpRespond respond) {
      {
        const MutexLock lock(mutex);
        responds.push_back(std::move(respond));
      }
      arrived.release();
    };
  }
  HttpRespond take() {
    arrived.acquire();
    const MutexLock lock(mutex);
    HttpRespond first = std::move(responds.front());
    responds.erase(responds.begin());
    return first;
  }
  Mutex mutex;
  std::vector<HttpRespond> responds;
  std::counting_semaphore<> arrived{0};
};

}  // namespace inferometer::testing
