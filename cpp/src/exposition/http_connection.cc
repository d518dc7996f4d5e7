#include "exposition/http_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>

#include "exposition/open_sockets.h"

namespace inferometer {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr size_t kPieceBytes = size_t{64} << 10;
constexpr size_t kBufferBytesBeyondHeader = 4096;  // for requests that follow in the same packet
// So long may a client go on sending after its last reply. Then the system resets the connection,
// and what the client has not read of the reply is lost.
constexpr double kLingerSeconds = 2.0;

HttpTime after(double seconds) {
  return std::chrono::steady_clock::now() +
         std::chrono::duration_cast<HttpTime::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

HttpConnection::HttpConnection(Owner& owner, asio::io_context& context,
                               const ListenerLimits& limits)
    : owner_(owner),
      context_(context),
      limits_(limits),
      socket_(context),
      reader_(limits.max_header_bytes),
      buffer_(limits.max_header_bytes + kBufferBytesBeyondHeader) {}

void HttpConnection::adopt(bool ipv6, int fd) { socket_.assign(ipv6 ? tcp::v6() : tcp::v4(), fd); }

void HttpConnection::set_deadline(double seconds_allowed) {
  deadline_ = after(seconds_allowed);
  owner_.wake_by(deadline_);
}

void HttpConnection::enter(State state, double seconds_allowed) {
  state_ = state;
  state_since_ = std::chrono::steady_clock::now();
  set_deadline(seconds_allowed);
}

void HttpConnection::await_request() {
  reader_.next();
  request_begun_ = begin_ < end_;
  enter(State::kReading, request_begun_ ? limits_.request_timeout : limits_.idle_timeout);
  if (request_begun_) {
    parse();
  } else {
    start_read();
  }
}

void HttpConnection::start_read() {
  if (read_pending_) return;
  if (state_ == State::kLingering) {
    begin_ = end_ = 0;
  } else if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  read_pending_ = true;
  socket_.async_read_some(asio::buffer(buffer_.data() + end_, buffer_.size() - end_),
                          [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                            self->on_read(error, bytes);
                          });
}

void HttpConnection::on_read(const ErrorCode& error, size_t bytes) {
  read_pending_ = false;
  if (!socket_.is_open()) return;
  if (error) {  // the client has ended, or is gone
    close();
  } else if (state_ == State::kLingering) {
    start_read();
  } else if (state_ == State::kReading) {  // else it was refused for being late
    end_ += bytes;
    if (!std::exchange(request_begun_, true)) set_deadline(limits_.request_timeout);
    parse();
  }
}

void HttpConnection::parse() {
  begin_ += reader_.read({buffer_.data() + begin_, end_ - begin_});
  switch (reader_.state()) {
    case RequestReader::State::kIncomplete:
      start_read();
      break;
    case RequestReader::State::kRefused:
      refuse(reader_.refusal());
      break;
    case RequestReader::State::kComplete:
      answer();
      break;
  }
}

void HttpConnection::answer() {
  const HttpRequest& request = reader_.request();
  keep_alive_ = request.keep_alive;
  head_only_ = request.method == "HEAD";
  enter(State::kAnswering, limits_.reply_timeout);
  owner_.handler()(request, [self = shared_from_this()](HttpReply made) {
    // On any thread. The context is there: it ends only after this function has been dropped.
    asio::post(self->context_, [self, made = std::move(made)] {
      if (self->socket_.is_open() && self->state_ == State::kAnswering) self->start_reply(made);
    });
  });
}

void HttpConnection::refuse(const HttpReply& reply) {
  keep_alive_ = false;
  head_only_ = false;
  set_deadline(limits_.reply_timeout);
  start_reply(reply);
}

void HttpConnection::start_reply(const HttpReply& reply) {
  head_ = reply_head(reply, keep_alive_, std::time(nullptr));
  if (!head_only_) body_ = reply.body;
  sent_ = 0;
  state_ = State::kWriting;
  state_since_ = std::chrono::steady_clock::now();
  owner_.limit_unread_bytes(*this);
  write_piece();
}

void HttpConnection::write_piece() {
  const std::string_view body = body_ ? std::string_view(*body_) : std::string_view();
  const std::string_view head = std::string_view(head_).substr(std::min(sent_, head_.size()));
  const std::string_view rest = body.substr(sent_ - (head_.size() - head.size()));
  const std::array<asio::const_buffer, 2> piece{
      asio::buffer(head.data(), head.size()),
      asio::buffer(rest.data(), std::min(rest.size(), kPieceBytes))};
  socket_.async_write_some(piece,
                           [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                             self->on_written(error, bytes);
                           });
}

void HttpConnection::on_written(const ErrorCode& error, size_t bytes) {
  if (!socket_.is_open()) return;
  if (error) {
    close();
    return;
  }
  sent_ += bytes;
  if (sent_ < head_.size() + (body_ ? body_->size() : 0)) {
    write_piece();
    return;
  }
  body_.reset();
  if (keep_alive_) {
    await_request();
    return;
  }
  // Closing while the client still sends would make the system reset the connection.
  ::shutdown(socket_.native_handle(), SHUT_WR);
  enter(State::kLingering, kLingerSeconds);
  start_read();
}

void HttpConnection::expire() {
  if (state_ == State::kReading && request_begun_) {
    refuse(text_reply(408, "the request did not come to its end in time"));
  } else {
    close();
  }
}

void HttpConnection::close() {
  if (!socket_.is_open()) return;
  OpenSockets::close(socket_.native_handle(), [this](int) {
    ErrorCode ignored;
    socket_.close(ignored);  // NOLINT(bugprone-unused-return-value): `ignored` again
  });
  body_.reset();
  owner_.forget(shared_from_this());
}

}  // namespace inferometer
