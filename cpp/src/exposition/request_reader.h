// Bytes of a connection to requests. The only place that knows the HTTP parser.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "exposition/http_message.h"

namespace inferometer {

/// Reads the head of one request after the other. A request with a body is refused: none of ours
/// has one, and what is not read cannot be smuggled. Single-owner.
class RequestReader {
 public:
  enum class State : unsigned char { kIncomplete, kComplete, kRefused };

  explicit RequestReader(size_t max_header_bytes);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Reads on in `bytes`: what the last call did not use, and what came since. Returns how many
  /// were used; the rest must be given again. Stops at the end of a request.
  size_t read(std::string_view bytes);
  [[nodiscard]] State state() const noexcept { return state_; }
  /// Valid when complete.
  [[nodiscard]] const HttpRequest& request() const noexcept { return request_; }
  /// Why it was refused: 400, 413, 417, 431, 501 or 505, with a line that says why.
  [[nodiscard]] const HttpReply& refusal() const noexcept { return refusal_; }
  /// Forgets the request and begins with the next.
  void next();

 private:
  class Parser;
  void refuse(int status, std::string_view line);

  const size_t max_header_bytes_;
  std::unique_ptr<Parser> parser_;
  State state_ = State::kIncomplete;
  size_t blank_bytes_ = 0;
  HttpRequest request_;
  HttpReply refusal_;
};

}  // namespace inferometer
