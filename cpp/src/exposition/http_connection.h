// One client of the HTTP server. For sources that may include Boost.Asio.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "exposition/http_message.h"
#include "exposition/request_reader.h"
#include "inferometer/metrics_listener.h"

namespace inferometer {

using HttpTime = std::chrono::steady_clock::time_point;

/// Reads a request, has it answered, writes the reply, and so on: never two of these at a time, so
/// a client that pipelines waits its turn. Closed before it is destroyed. Single-owner: lives on
/// the thread that runs the io_context.
class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  /// Lingering: the reply is out, and the client has some time to stop sending.
  enum class State : unsigned char { kReading, kAnswering, kWriting, kLingering };

  /// What a connection asks of the server that has it. Outlives its connections.
  class Owner {
   public:
    Owner() = default;
    virtual ~Owner() = default;
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

    [[nodiscard]] virtual const HttpHandler& handler() const noexcept = 0;
    /// Has expire() called at deadline().
    virtual void wake_by(HttpTime deadline) = 0;
    /// It has begun to write a body, see ListenerLimits::max_unread_bytes.
    virtual void limit_unread_bytes(const HttpConnection& newest) = 0;
    /// It is closed.
    virtual void forget(const std::shared_ptr<HttpConnection>& connection) = 0;
  };

  /// `limits` outlives it, as does `context`.
  HttpConnection(Owner& owner, boost::asio::io_context& context, const ListenerLimits& limits);

  /// Takes the descriptor over; once. Where the system refuses it throws, and has not taken it.
  void adopt(bool ipv6, int fd);
  /// Begins; once.
  void await_request();
  /// The deadline has passed.
  void expire();
  void close();

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] HttpTime state_since() const noexcept { return state_since_; }
  [[nodiscard]] HttpTime deadline() const noexcept { return deadline_; }
  /// What is being written, null if nothing is.
  [[nodiscard]] const std::string* body() const noexcept { return body_.get(); }

 private:
  using ErrorCode = boost::system::error_code;

  void enter(State state, double seconds_allowed);
  void set_deadline(double seconds_allowed);
  void start_read();
  void on_read(const ErrorCode& error, size_t bytes);
  void parse();
  void answer();
  void refuse(const HttpReply& reply);
  void start_reply(const HttpReply& reply);
  void write_piece();
  void on_written(const ErrorCode& error, size_t bytes);

  Owner& owner_;
  boost::asio::io_context& context_;
  const ListenerLimits& limits_;
  boost::asio::ip::tcp::socket socket_;

  // Reading.
  RequestReader reader_;
  std::vector<char> buffer_;  // [begin_, end_) is not parsed yet
  size_t begin_ = 0;
  size_t end_ = 0;
  bool request_begun_ = false;
  bool read_pending_ = false;

  // Replying.
  bool keep_alive_ = false;
  bool head_only_ = false;
  std::string head_;
  std::shared_ptr<const std::string> body_;
  size_t sent_ = 0;

  State state_ = State::kReading;
  HttpTime state_since_;
  HttpTime deadline_;
};

}  // namespace inferometer
