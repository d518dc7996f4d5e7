#include "inferometer/metrics_listener.h"

#include <atomic>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/mutex.h"
#include "base/process_generation.h"
#include "exposition/http_server.h"
#include "exposition/listening_socket.h"
#include "exposition/metrics_pages.h"
#include "exposition/scrape_queue.h"
#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr double kCloseGraceSeconds = 2.0;
constexpr double kLongestTimeout = 86'400.0;
constexpr size_t kLeastHeaderBytes = 128;
constexpr size_t kMostHeaderBytes = size_t{1} << 20;
constexpr size_t kMostConnections = 65'536;

void check_timeout(const char* name, double seconds) {
  if (!(seconds > 0.0) || seconds > kLongestTimeout) {
    throw ConfigError(std::string(name) + ": got " + std::to_string(seconds) +
                      " seconds, want more than 0 and at most a day");
  }
}

void check_count(const char* name, size_t got, size_t least, size_t most) {
  if (got < least || got > most) {
    throw ConfigError(std::string(name) + ": got " + std::to_string(got) + ", want " +
                      std::to_string(least) + " to " + std::to_string(most));
  }
}

ListenerLimits checked(const ListenerLimits& limits) {
  check_count("max_connections", limits.max_connections, 1, kMostConnections);
  check_count("max_header_bytes", limits.max_header_bytes, kLeastHeaderBytes, kMostHeaderBytes);
  check_timeout("request_timeout", limits.request_timeout);
  check_timeout("idle_timeout", limits.idle_timeout);
  check_timeout("reply_timeout", limits.reply_timeout);
  return limits;
}

HttpReply reply_with(const std::shared_ptr<const Exposition>& exposition) {
  if (!exposition) return text_reply(500, "the metrics could not be rendered");
  HttpReply reply;
  reply.content_type = exposition->content_type;
  reply.content_encoding = exposition->content_encoding;
  reply.vary = "Accept, Accept-Encoding";
  reply.body = {exposition, &exposition->body};  // shared, not copied
  return reply;
}

// Pages at once, scrapes through the queue.
HttpHandler pages(ScrapeQueue& queue) {
  return [&queue](const HttpRequest& request, HttpRespond respond) {
    if (std::optional<HttpReply> page = page_without_metrics(request)) {
      respond(*std::move(page));
      return;
    }
    queue.add(request.accept, request.accept_encoding,
              [respond = std::move(respond)](const std::shared_ptr<const Exposition>& exposition) {
                respond(reply_with(exposition));
              });
  };
}

}  // namespace

struct MetricsListener::Parts {
  Parts(ScrapeHandler handler, ListenerOptions options)
      : host(std::move(options.host)), generation(process_generation()) {
    const ListenerLimits limits = checked(options.limits);
    ListeningSocket socket(host, options.port);
    port = socket.port();
    is_loopback = socket.is_loopback();
    url = "http://" + socket.authority() + "/metrics";
    MutexLock lock(mutex);
    queue = std::make_unique<ScrapeQueue>(std::move(handler), options.on_error);
    server = std::make_unique<HttpServer>(socket, pages(*queue), limits, options.on_error);
  }

  [[nodiscard]] bool forked() const noexcept { return generation != process_generation(); }

  // Constant after construction.
  const std::string host;
  const uint32_t generation;
  int port = 0;
  bool is_loopback = false;
  std::string url;

  std::atomic<bool> closed{false};
  Mutex mutex;
  std::unique_ptr<ScrapeQueue> queue GUARDED_BY(mutex);
  std::unique_ptr<HttpServer> server GUARDED_BY(mutex);  // uses the queue
};

MetricsListener::MetricsListener(ScrapeHandler handler, ListenerOptions options)
    : parts_(std::make_unique<Parts>(std::move(handler), std::move(options))) {}

MetricsListener::~MetricsListener() {
  close();
  // In a child, threads, locks and sockets are copies of the parent's in some state of use: they
  // are left where they are.
  if (parts_->forked()) {
    [[maybe_unused]] const Parts* const left_behind = parts_.release();
  }
}

void MetricsListener::close() noexcept {
  if (parts_->forked()) return;
  MutexLock lock(parts_->mutex);
  if (parts_->closed) return;
  // First what adds to the queue, then what is posted to the server; then nobody knows either.
  parts_->server->stop();
  parts_->queue->stop(steady_clock().now_ns() + seconds_to_ns(kCloseGraceSeconds));
  parts_->server.reset();
  parts_->queue.reset();
  parts_->closed = true;
}

bool MetricsListener::closed() const noexcept { return parts_->closed || parts_->forked(); }
bool MetricsListener::forked() const noexcept { return parts_->forked(); }
const std::string& MetricsListener::host() const noexcept { return parts_->host; }
int MetricsListener::port() const noexcept { return parts_->port; }
bool MetricsListener::is_loopback() const noexcept { return parts_->is_loopback; }
const std::string& MetricsListener::url() const noexcept { return parts_->url; }

}  // namespace inferometer
