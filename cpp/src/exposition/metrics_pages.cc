#include "exposition/metrics_pages.h"

#include <string_view>

namespace inferometer {

std::optional<HttpReply> page_without_metrics(const HttpRequest& request) {
  constexpr std::string_view kWhere = "inferometer: the metrics are at /metrics";
  const std::string_view path = path_of(request.target);
  const bool metrics = path == "/metrics" || path == "/metrics/";
  if (!metrics && path != "/") {
    return text_reply(404, "not found; the metrics are at /metrics");
  }
  if (request.method != "GET" && request.method != "HEAD") {
    HttpReply refusal = text_reply(405, "want GET or HEAD");
    refusal.allow = "GET, HEAD";
    return refusal;
  }
  if (metrics) return std::nullopt;
  return text_reply(200, kWhere);
}

}  // namespace inferometer
