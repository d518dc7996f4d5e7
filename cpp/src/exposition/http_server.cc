#include "exposition/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <exception>
#include <unordered_set>
#include <utility>
#include <vector>

#include "exposition/http_connection.h"
#include "exposition/open_sockets.h"
#include "exposition/wake_timer.h"

namespace inferometer {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

constexpr int kAcceptsInARow = 64;  // then it is the other connections' turn
constexpr auto kAcceptPause = std::chrono::milliseconds(100);

}  // namespace

// The port, the connections and their timer. Lives on its own thread, but for post() and stop().
class HttpServer::Loop final : public HttpConnection::Owner {
 public:
  Loop(ListeningSocket& socket, HttpHandler handler, const ListenerLimits& limits,
       ErrorHandler on_error)
      : handler_(std::move(handler)),
        on_error_(std::move(on_error)),
        limits_(limits),
        ipv6_(socket.is_ipv6()) {
    acceptor_.assign(ipv6_ ? tcp::v6() : tcp::v4(), socket.fd());
    (void)socket.release();
  }
  // Does nothing after close_all(), which runs unless run() never did. A connection that is closed
  // is held here, and has itself to share. NOLINTNEXTLINE(bugprone-exception-escape)
  ~Loop() override { close_all(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run() noexcept;
  void close_all();
  template <typename Function>
  void post(Function&& function) {
    asio::post(context_, std::forward<Function>(function));
  }

  // For connections.
  [[nodiscard]] const HttpHandler& handler() const noexcept override { return handler_; }
  void wake_by(HttpTime deadline) override;
  /// Cuts off the readers that began first while the bodies being written are too large together.
  void limit_unread_bytes(const HttpConnection& newest) override;
  void forget(const std::shared_ptr<HttpConnection>& connection) override;

 private:
  void await_connections();
  /// 0, or the errno that keeps it from going on.
  int accept_waiting();
  void add(int fd);
  bool make_room();
  void turn_away(int fd) const;
  void await_timer();
  void sweep();
  void tell(const std::string& error) const {
    if (on_error_) on_error_(error);
  }

  const HttpHandler handler_;
  const ErrorHandler on_error_;
  const ListenerLimits limits_;
  const bool ipv6_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  WakeTimer timer_;
  asio::posix::stream_descriptor timer_events_{context_, timer_.fd()};
  HttpTime accept_again_at_ = HttpTime::max();  // for as long as nothing is accepted
  std::unordered_set<std::shared_ptr<HttpConnection>> connections_;
};

void HttpServer::Loop::run() noexcept {
  pthread_setname_np(pthread_self(), "im-listener");
  await_connections();
  await_timer();
  for (;;) {
    try {
      context_.run();
      return;
    } catch (const std::exception& error) {
      // No memory, most likely. The connection it happened on ends at its deadline.
      tell(std::string("the listener went on after an error: ") + error.what());
    }
  }
}

void HttpServer::Loop::close_all() {
  if (!acceptor_.is_open()) return;
  OpenSockets::close(acceptor_.native_handle(), [this](int) {
    ErrorCode ignored;
    acceptor_.close(ignored);  // NOLINT(bugprone-unused-return-value): `ignored` again
  });
  const auto open = std::exchange(connections_, {});
  for (const auto& connection : open) connection->close();
  context_.stop();
}

void HttpServer::Loop::await_connections() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const ErrorCode& error) {
    if (error) return;  // closed
    std::string problem;
    try {
      if (const int failed = accept_waiting()) problem = strerrordesc_np(failed);
    } catch (const std::exception& failed) {
      problem = failed.what();
    }
    if (problem.empty()) {
      await_connections();
      return;
    }
    // No descriptors or no memory: what waits would wake us again and again at once.
    tell("a connection could not be accepted: " + problem);
    accept_again_at_ = std::chrono::steady_clock::now() + kAcceptPause;
    wake_by(accept_again_at_);
  });
}

int HttpServer::Loop::accept_waiting() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    const int fd = OpenSockets::accept(acceptor_.native_handle());
    if (fd >= 0) {
      add(fd);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return 0;
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return errno;
    }  // else that connection was gone before it was accepted
  }
  return 0;
}

void HttpServer::Loop::add(int fd) {
  if (connections_.size() >= limits_.max_connections && !make_room()) {
    turn_away(fd);
    return;
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::shared_ptr<HttpConnection> connection;
  try {
    connection = std::make_shared<HttpConnection>(*this, context_, limits_);
    connection->adopt(ipv6_, fd);
  } catch (...) {
    OpenSockets::close(fd);
    throw;
  }
  try {
    connections_.insert(connection);
    connection->await_request();
  } catch (...) {
    connection->close();
    throw;
  }
}

bool HttpServer::Loop::make_room() {
  std::shared_ptr<HttpConnection> longest;
  for (const auto& connection : connections_) {
    if (connection->state() != HttpConnection::State::kReading &&
        connection->state() != HttpConnection::State::kLingering) {
      continue;
    }
    if (!longest || connection->state_since() < longest->state_since()) longest = connection;
  }
  if (longest) longest->close();
  return longest != nullptr;
}

void HttpServer::Loop::turn_away(int fd) const {
  const HttpReply reply = text_reply(503, "too many connections are being answered");
  const std::string text = reply_head(reply, false, std::time(nullptr)) + *reply.body;
  (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  OpenSockets::close(fd);
}

void HttpServer::Loop::wake_by(HttpTime deadline) { timer_.wake_by(deadline); }

void HttpServer::Loop::forget(const std::shared_ptr<HttpConnection>& connection) {
  connections_.erase(connection);
  if (connections_.empty() && accept_again_at_ == HttpTime::max()) timer_.clear();
}

void HttpServer::Loop::await_timer() {
  timer_events_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [this](const ErrorCode& error) {
                             if (error) return;  // closed
                             timer_.clear();
                             await_timer();
                             sweep();
                           });
}

void HttpServer::Loop::sweep() {
  const HttpTime now = std::chrono::steady_clock::now();
  std::vector<std::shared_ptr<HttpConnection>> late;
  HttpTime next = HttpTime::max();
  for (const auto& connection : connections_) {
    if (connection->deadline() <= now) {
      late.push_back(connection);
    } else {
      next = std::min(next, connection->deadline());
    }
  }
  for (const auto& connection : late) connection->expire();
  if (accept_again_at_ <= now) {
    accept_again_at_ = HttpTime::max();
    await_connections();
  }
  wake_by(std::min(next, accept_again_at_));
}

void HttpServer::Loop::limit_unread_bytes(const HttpConnection& newest) {
  for (;;) {
    std::unordered_set<const std::string*> bodies;
    size_t bytes = 0;
    std::shared_ptr<HttpConnection> oldest;
    for (const auto& connection : connections_) {
      const std::string* const body = connection->body();
      if (body == nullptr) continue;
      if (bodies.insert(body).second) bytes += body->size();
      if (body != newest.body() && (!oldest || connection->state_since() < oldest->state_since())) {
        oldest = connection;
      }
    }
    if (bytes <= limits_.max_unread_bytes || !oldest) return;
    oldest->close();
  }
}

HttpServer::HttpServer(ListeningSocket& socket, HttpHandler handler, const ListenerLimits& limits,
                       ErrorHandler on_error)
    : loop_(std::make_unique<Loop>(socket, std::move(handler), limits, std::move(on_error))),
      thread_([loop = loop_.get()] { loop->run(); }) {}

HttpServer::~HttpServer() { stop(); }

void HttpServer::stop() noexcept {
  if (!thread_.joinable()) return;
  loop_->post([loop = loop_.get()] { loop->close_all(); });
  thread_.join();
}

}  // namespace inferometer
