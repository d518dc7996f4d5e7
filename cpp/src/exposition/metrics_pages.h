// What is where on the metrics port.
#pragma once

#include <optional>

#include "exposition/http_message.h"

namespace inferometer {

/// The reply to everything but a scrape; none for GET or HEAD of /metrics and /metrics/, which a
/// rendering answers.
[[nodiscard]] std::optional<HttpReply> page_without_metrics(const HttpRequest& request);

}  // namespace inferometer
