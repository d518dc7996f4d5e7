#include "exposition/http_message.h"

#include <array>
#include <ctime>
#include <utility>

namespace inferometer {
namespace {

std::string_view reason_of(int status) {
  constexpr std::array<std::pair<int, std::string_view>, 12> kReasons{{
      {200, "OK"},
      {400, "Bad Request"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {408, "Request Timeout"},
      {413, "Content Too Large"},
      {417, "Expectation Failed"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {503, "Service Unavailable"},
      {505, "HTTP Version Not Supported"},
  }};
  for (const auto& [code, reason] : kReasons) {
    if (code == status) return reason;
  }
  return "Unknown";
}

void append_two_digits(std::string& text, int value) {
  text.push_back(static_cast<char>('0' + value / 10 % 10));
  text.push_back(static_cast<char>('0' + value % 10));
}

// Not strftime: the names of days and months must not follow the process's locale.
void append_date(std::string& text, int64_t unix_seconds) {
  constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<time_t>(unix_seconds);
  tm utc{};
  gmtime_r(&seconds, &utc);
  text.append(kDays[static_cast<size_t>(utc.tm_wday)]).append(", ");
  append_two_digits(text, utc.tm_mday);
  text.append(" ").append(kMonths[static_cast<size_t>(utc.tm_mon)]).append(" ");
  text.append(std::to_string(1900 + utc.tm_year)).append(" ");
  append_two_digits(text, utc.tm_hour);
  text.push_back(':');
  append_two_digits(text, utc.tm_min);
  text.push_back(':');
  append_two_digits(text, utc.tm_sec);
  text.append(" GMT");
}

void append_field(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

bool starts_with_scheme(std::string_view target) {
  constexpr std::string_view kScheme = "http://";
  if (target.size() < kScheme.size()) return false;
  for (size_t i = 0; i < kScheme.size(); ++i) {
    if ((target[i] | ('a' <= kScheme[i] && kScheme[i] <= 'z' ? 0x20 : 0)) != kScheme[i])
      return false;
  }
  return true;
}

}  // namespace

HttpReply text_reply(int status, std::string_view line) {
  HttpReply reply;
  reply.status = status;
  reply.body = std::make_shared<const std::string>(std::string(line).append("\n"));
  return reply;
}

std::string reply_head(const HttpReply& reply, bool keep_alive, int64_t unix_seconds) {
  std::string head;
  head.reserve(320);
  head.append("HTTP/1.1 ").append(std::to_string(reply.status)).append(" ");
  head.append(reason_of(reply.status)).append("\r\nDate: ");
  append_date(head, unix_seconds);
  head.append("\r\n");
  append_field(head, "Content-Type", reply.content_type);
  if (!reply.content_encoding.empty()) {
    append_field(head, "Content-Encoding", reply.content_encoding);
  }
  append_field(head, "Content-Length", std::to_string(reply.body->size()));
  if (!reply.allow.empty()) append_field(head, "Allow", reply.allow);
  if (!reply.vary.empty()) append_field(head, "Vary", reply.vary);
  // Label values are anybody's text: no browser may take the page for HTML.
  append_field(head, "X-Content-Type-Options", "nosniff");
  append_field(head, "Connection", keep_alive ? "keep-alive" : "close");
  return head.append("\r\n");
}

std::string_view path_of(std::string_view target) {
  if (starts_with_scheme(target)) {
    target.remove_prefix(7);
    const size_t slash = target.find_first_of("/?");
    if (slash == std::string_view::npos || target[slash] == '?') return "/";
    target.remove_prefix(slash);
  }
  return target.substr(0, target.find('?'));
}

}  // namespace inferometer
