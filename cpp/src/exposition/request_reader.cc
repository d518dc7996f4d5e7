#include "exposition/request_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/optional.hpp>
#include <cstdint>
#include <string>
#include <utility>

namespace inferometer {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

void join(std::string& line, std::string_view more) {
  if (!line.empty()) line.append(", ");
  line.append(more);
}

bool token_character(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// Whether the start of a request line can still become one. The parser itself may wait for the end
// of the whole head before it looks; a client that does not speak HTTP would wait for its timeout.
bool plausible_request_line(std::string_view bytes) {
  const size_t end = bytes.find_first_of(" \n");
  const std::string_view method = bytes.substr(0, end);
  if (!std::ranges::all_of(method, token_character)) return false;
  if (end == std::string_view::npos) return true;
  if (method.empty() || bytes[end] == '\n') return false;
  const size_t line_end = bytes.find('\n');
  if (line_end == std::string_view::npos) return true;
  // "... HTTP/1.1\r"
  const std::string_view line = bytes.substr(0, line_end);
  constexpr size_t kVersionBytes = 10;
  return line.size() > kVersionBytes && line.back() == '\r' &&
         line.substr(line.size() - kVersionBytes, 6) == " HTTP/";
}

}  // namespace

// Collects what the handler needs. Nothing but the head is ever given to it.
class RequestReader::Parser final : public http::basic_parser<true> {
 public:
  using Error = beast::error_code;

  HttpRequest take() {
    request_.keep_alive = keep_alive();
    return std::move(request_);
  }
  [[nodiscard]] int version() const noexcept { return version_; }
  [[nodiscard]] int hosts() const noexcept { return hosts_; }
  [[nodiscard]] bool transfer_encoding() const noexcept { return transfer_encoding_; }
  [[nodiscard]] bool unknown_expectation() const noexcept { return unknown_expectation_; }
  // Newer Beast has this one too, older has not: hence no `override`.
  void on_trailer_field_impl(http::field /*name*/, beast::string_view /*name_text*/,
                             beast::string_view /*value*/, Error& /*error*/) {}

 private:
  void on_request_impl(http::verb /*method*/, beast::string_view method, beast::string_view target,
                       int version, Error& /*error*/) override {
    request_.method = view(method);
    request_.target = view(target);
    version_ = version;
  }
  void on_field_impl(http::field name, beast::string_view /*name_text*/, beast::string_view value,
                     Error& /*error*/) override {
    switch (name) {
      case http::field::accept:
        join(request_.accept, view(value));
        break;
      case http::field::accept_encoding:
        join(request_.accept_encoding, view(value));
        break;
      case http::field::host:
        ++hosts_;
        break;
      case http::field::transfer_encoding:
        transfer_encoding_ = true;
        break;
      case http::field::expect:
        unknown_expectation_ = !beast::iequals(value, "100-continue");
        break;
      default:
        break;
    }
  }
  void on_response_impl(int /*status*/, beast::string_view /*reason*/, int /*version*/,
                        Error& /*error*/) override {}
  void on_header_impl(Error& /*error*/) override {}
  void on_body_init_impl(const boost::optional<uint64_t>& /*length*/, Error& /*error*/) override {}
  size_t on_body_impl(beast::string_view body, Error& /*error*/) override { return body.size(); }
  void on_chunk_header_impl(uint64_t /*size*/, beast::string_view /*extensions*/,
                            Error& /*error*/) override {}
  size_t on_chunk_body_impl(uint64_t /*remain*/, beast::string_view body,
                            Error& /*error*/) override {
    return body.size();
  }
  void on_finish_impl(Error& /*error*/) override {}

  HttpRequest request_;
  int version_ = 0;
  int hosts_ = 0;
  bool transfer_encoding_ = false;
  bool unknown_expectation_ = false;
};

RequestReader::RequestReader(size_t max_header_bytes) : max_header_bytes_(max_header_bytes) {
  next();
}

RequestReader::~RequestReader() = default;

void RequestReader::next() {
  parser_ = std::make_unique<Parser>();
  parser_->header_limit(static_cast<uint32_t>(max_header_bytes_));
  parser_->body_limit(0);
  state_ = State::kIncomplete;
  blank_bytes_ = 0;
}

void RequestReader::refuse(int status, std::string_view line) {
  state_ = State::kRefused;
  refusal_ = text_reply(status, line);
}

size_t RequestReader::read(std::string_view bytes) {
  if (state_ != State::kIncomplete) return 0;
  size_t used = 0;
  if (!parser_->got_some()) {
    // Empty lines before a request are skipped, as RFC 9112 asks, but not for ever.
    used = std::min(bytes.find_first_not_of("\r\n"), bytes.size());
    blank_bytes_ += used;
    bytes.remove_prefix(used);
    if (blank_bytes_ > max_header_bytes_) {
      refuse(431, "only empty lines and no request");
      return used;
    }
    if (bytes.empty()) return used;
  }
  const bool in_request_line = parser_->version() == 0;
  if (in_request_line && !plausible_request_line(bytes)) {
    refuse(400, "this is not HTTP");
    return used;
  }

  beast::error_code error;
  used += parser_->put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error == http::error::need_more) return used;
  if (error == http::error::header_limit) {
    refuse(431, "the head of the request is over " + std::to_string(max_header_bytes_) + " bytes");
  } else if (error == http::error::body_limit) {
    refuse(413, "requests here have no body");
  } else if (error == http::error::bad_version) {
    refuse(505, "want HTTP/1.0 or HTTP/1.1");
  } else if (error) {
    refuse(400, "malformed request: " + error.message());
  } else if (parser_->is_header_done()) {
    if (parser_->hosts() > 1 || (parser_->hosts() == 0 && parser_->version() >= 11)) {
      refuse(400, "got " + std::to_string(parser_->hosts()) + " Host header fields, want one");
    } else if (parser_->chunked()) {
      refuse(413, "requests here have no body");
    } else if (parser_->transfer_encoding()) {
      refuse(501, "the only transfer encoding known here is chunked");
    } else if (parser_->unknown_expectation()) {
      refuse(417, "the only expectation known here is 100-continue");
    } else {
      request_ = parser_->take();
      state_ = State::kComplete;
    }
  }
  return used;
}

}  // namespace inferometer
