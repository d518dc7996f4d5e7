// One HTTP request and one reply, as a handler sees them. No sockets, no parser.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace inferometer {

/// The head of a request. Requests with a body never get this far.
struct HttpRequest {
  std::string method;
  std::string target;
  std::string accept;           // lines joined with ", "
  std::string accept_encoding;  // the same
  bool keep_alive = false;
};

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string content_encoding;
  std::string allow;  // the methods, for 405
  std::string vary;   // the header fields of the request that it depends on, for caches
  /// Shared, so that many connections can send one rendering. Never null.
  std::shared_ptr<const std::string> body;
};

/// Answers a request: called once, on any thread.
using HttpRespond = std::function<void(HttpReply)>;
/// Called on the server's thread; must return at once. If it drops `respond` uncalled, the
/// connection ends with its reply timeout.
using HttpHandler = std::function<void(const HttpRequest&, HttpRespond respond)>;

/// A reply of one line of text.
[[nodiscard]] HttpReply text_reply(int status, std::string_view line);

/// Status line and header fields up to the empty line. `unix_seconds` is for the Date field.
[[nodiscard]] std::string reply_head(const HttpReply& reply, bool keep_alive, int64_t unix_seconds);

/// The path of a request target: without query, and without scheme and authority where a proxy sent
/// them.
[[nodiscard]] std::string_view path_of(std::string_view target);

}  // namespace inferometer
