// A client that sends exactly the bytes it is given.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace inferometer::testing {

struct ReceivedReply {
  int status = 0;
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

/// One connection to a port of this machine. Gives up after 30 s of silence, by throwing.
/// Single-owner.
class HttpClient {
 public:
  /// `receive_bytes`: the size of the socket's buffer, for slow readers; 0: the system's.
  explicit HttpClient(int port, int receive_bytes = 0) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{30, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (receive_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      ::close(fd_);
      throw std::runtime_error("connection refused");
    }
  }
  ~HttpClient() { ::close(fd_); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// False if the server is gone.
  bool send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void end_sending() const { shutdown(fd_, SHUT_WR); }

  /// The next reply. Throws if the connection ends before it does.
  ReceivedReply reply(bool to_head = false) {
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) more();
    ReceivedReply reply;
    const std::string head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    reply.status = std::stoi(head.substr(sizeof "HTTP/1.1"));
    for (size_t line = head.find("\r\n") + 2; line < head.size();) {
      const size_t line_end = head.find("\r\n", line);
      const size_t colon = head.find(": ", line);
      std::string name = head.substr(line, colon - line);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      reply.fields[name] = head.substr(colon + 2, line_end - colon - 2);
      line = line_end + 2;
    }
    const size_t length = to_head ? 0 : std::stoul(reply.fields.at("content-length"));
    while (buffer_.size() < length) more();
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return reply;
  }
  ReceivedReply get(std::string_view target) {
    send(std::string("GET ").append(target).append(" HTTP/1.1\r\nHost: x\r\n\r\n"));
    return reply();
  }
  /// What comes until the server ends the connection, in an orderly way or not.
  std::string rest() {
    while (receive() > 0) {
    }
    return std::exchange(buffer_, {});
  }
  /// Reads up to `bytes` bytes that are there or come.
  ssize_t receive(size_t bytes = 65536) {
    std::string part(bytes, '\0');
    const ssize_t got = recv(fd_, part.data(), part.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("the server was silent for 30 s");
    }
    if (got > 0) buffer_.append(part, 0, static_cast<size_t>(got));
    return got;
  }

 private:
  void more() {
    if (receive() <= 0) throw std::runtime_error("the connection ended early: " + buffer_);
  }

  int fd_;
  std::string buffer_;
};

}  // namespace inferometer::testing
