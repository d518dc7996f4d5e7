#include "inferometer/metrics_listener.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <latch>
#include <limits>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http_client.h"
#include "inferometer/errors.h"
#include "inferometer/registry.h"

namespace inferometer {
namespace {

using testing::HttpClient;

ListenerOptions any_port() {
  ListenerOptions options;
  options.port = 0;
  return options;
}

Exposition plain(std::string body) { return {std::move(body), "text/plain; version=0.0.4", ""}; }

Exposition hello(const ScrapeRequest& /*request*/) { return plain("hello 1\n"); }

TEST(MetricsListenerTest, ServesWhatTheHandlerMakes) {
  const MetricsListener listener(
      [](const ScrapeRequest& request) {
        Exposition made =
            plain(std::string(request.accept) + "|" + std::string(request.accept_encoding) + "\n");
        made.content_encoding = "identity";
        return made;
      },
      any_port());
  EXPECT_EQ(listener.url(), "http://127.0.0.1:" + std::to_string(listener.port()) + "/metrics");
  EXPECT_EQ(listener.host(), "127.0.0.1");
  EXPECT_TRUE(listener.is_loopback());
  HttpClient client(listener.port());
  for (const std::string path : {"/metrics", "/metrics/", "/metrics?x=1"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: x\r\nAccept: a\r\nAccept: b\r\n" +
                "Accept-Encoding: gzip\r\n\r\n");
    const auto reply = client.reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "a, b|gzip\n");
    EXPECT_EQ(reply.fields.at("content-type"), "text/plain; version=0.0.4");
    EXPECT_EQ(reply.fields.at("content-encoding"), "identity");
    EXPECT_EQ(reply.fields.at("vary"), "Accept, Accept-Encoding");
  }
  EXPECT_EQ(client.get("/").status, 200);
  EXPECT_EQ(client.get("/elsewhere").status, 404);
  client.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\nAccept: a\r\n\r\n");
  EXPECT_EQ(client.reply(true).fields.at("content-length"), "3");
  client.send("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.reply().fields.at("allow"), "GET, HEAD");
}

TEST(MetricsListenerTest, AHandlerThatThrowsMakesA500AndTheListenerGoesOn) {
  std::atomic<int> calls{0};
  std::atomic<int> told{0};
  ListenerOptions options = any_port();
  options.on_error = [&](const std::string& error) {
    EXPECT_NE(error.find("no luck"), std::string::npos);
    ++told;
  };
  const MetricsListener listener(
      [&](const ScrapeRequest&) -> Exposition {
        if (++calls == 1) throw std::runtime_error("no luck");
        return plain("fine\n");
      },
      options);
  HttpClient client(listener.port());
  const auto failed = client.get("/metrics");
  EXPECT_EQ(failed.status, 500);
  EXPECT_EQ(failed.body.find("no luck"), std::string::npos) << "not everybody's business";
  EXPECT_EQ(told, 1);
  EXPECT_EQ(client.get("/metrics").body, "fine\n");
}

TEST(MetricsListenerTest, ScrapesAtOnceShareARendering) {
  std::counting_semaphore<> entered{0};
  std::counting_semaphore<> let{0};
  std::atomic<int> calls{0};
  MetricsListener listener(
      [&](const ScrapeRequest&) {
        ++calls;
        entered.release();
        let.acquire();
        return plain("x\n");
      },
      any_port());
  HttpClient first(listener.port());
  first.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  entered.acquire();
  std::vector<std::unique_ptr<HttpClient>> others;
  for (int i = 0; i < 64; ++i) {
    others.push_back(std::make_unique<HttpClient>(listener.port()));
    others.back()->send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    // Served by the thread that reads, so that the scrape before it has been read too.
    EXPECT_EQ(HttpClient(listener.port()).get("/").status, 200) << "while a rendering runs";
  }
  let.release(1000);
  EXPECT_EQ(first.reply().body, "x\n");
  for (const auto& other : others) EXPECT_EQ(other->reply().body, "x\n");
  EXPECT_LE(calls, 3);
}

TEST(MetricsListenerTest, WritersAndScrapersTogether) {
  const auto registry = Registry::create();
  const Counter hits = registry->counter("hits", "");
  const MetricsListener listener(
      [&](const ScrapeRequest&) { return plain(registry->render_text()); }, any_port());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    while (!stop) hits.inc();
  });
  std::vector<std::thread> scrapers;
  scrapers.reserve(4);
  for (int t = 0; t < 4; ++t) {
    scrapers.emplace_back([&] {
      HttpClient client(listener.port());
      double last = 0;
      for (int i = 0; i < 50; ++i) {
        const std::string body = client.get("/metrics").body;
        const size_t at = body.find("\nhits_total ");
        ASSERT_NE(at, std::string::npos);
        const double now = std::stod(body.substr(at + 12));
        EXPECT_GE(now, last);
        last = now;
      }
    });
  }
  for (std::thread& scraper : scrapers) scraper.join();
  stop = true;
  writer.join();
}

TEST(MetricsListenerTest, CloseEndsConnectionsAndFreesThePort) {
  MetricsListener listener(hello, any_port());
  HttpClient open(listener.port());
  EXPECT_EQ(open.get("/metrics").status, 200);
  EXPECT_FALSE(listener.closed());
  std::thread other([&] { listener.close(); });
  listener.close();
  other.join();
  EXPECT_TRUE(listener.closed());
  listener.close();
  EXPECT_EQ(open.rest(), "");
  ListenerOptions same = any_port();
  same.port = listener.port();
  const MetricsListener next(hello, same);
  EXPECT_EQ(HttpClient(next.port()).get("/metrics").body, "hello 1\n");
}

TEST(MetricsListenerTest, CloseDoesNotWaitForAHandlerThatHangs) {
  struct Gate {
    std::counting_semaphore<> entered{0};
    std::counting_semaphore<> let{0};
  };
  const auto gate = std::make_shared<Gate>();
  {
    MetricsListener listener(
        [gate](const ScrapeRequest&) {
          gate->entered.release();
          gate->let.acquire();
          return plain("late");
        },
        any_port());
    HttpClient client(listener.port());
    client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    gate->entered.acquire();
    listener.close();
    EXPECT_EQ(client.rest(), "");
  }
  gate->let.release();
  while (gate.use_count() > 1) std::this_thread::yield();
}

TEST(MetricsListenerTest, BadOptions) {
  const auto refusal = [](const std::function<void(ListenerOptions&)>& change) {
    ListenerOptions options = any_port();
    change(options);
    try {
      const MetricsListener listener(hello, options);
      return std::string("none");
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
  };
  const auto about = [&](const char* name, const std::function<void(ListenerOptions&)>& change) {
    const std::string error = refusal(change);
    EXPECT_TRUE(error.starts_with(std::string(name) + ": got ")) << error;
    EXPECT_NE(error.find(", want "), std::string::npos) << error;
  };
  about("host", [](auto& options) { options.host = ""; });
  about("port", [](auto& options) { options.port = 65536; });
  about("max_connections", [](auto& options) { options.limits.max_connections = 0; });
  about("max_header_bytes", [](auto& options) { options.limits.max_header_bytes = 127; });
  about("max_header_bytes",
        [](auto& options) { options.limits.max_header_bytes = size_t{2} << 20; });
  about("request_timeout", [](auto& options) { options.limits.request_timeout = 0; });
  about("idle_timeout", [](auto& options) { options.limits.idle_timeout = std::nan(""); });
  about("reply_timeout", [](auto& options) {
    options.limits.reply_timeout = std::numeric_limits<double>::infinity();
  });
  EXPECT_EQ(refusal([](auto&) {}), "none");
}

// Forks while a listener serves, many times. A child that hangs is ended by its alarm, which fails
// the test; none of this waits for time.
void fork_while_serving(const std::function<bool(MetricsListener&)>& in_child) {
  const MetricsListener serving(hello, any_port());
  std::atomic<bool> stop{false};
  std::thread scraper([&] {
    HttpClient client(serving.port());
    while (!stop) EXPECT_EQ(client.get("/metrics").status, 200);
  });
  for (int round = 0; round < 20; ++round) {
    auto inherited = std::make_unique<MetricsListener>(hello, any_port());
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      bool good = serving.closed() && inherited->closed() && inherited->forked();
      inherited->close();
      good = good && in_child(*inherited);
      inherited.reset();
      _exit(good ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(inherited->closed());
    EXPECT_EQ(HttpClient(inherited->port()).get("/metrics").status, 200);
  }
  stop = true;
  scraper.join();
}

TEST(MetricsListenerTest, AChildHasAClosedListenerAndTheParentGoesOn) {
  fork_while_serving([](MetricsListener& inherited) { return inherited.closed(); });
}

TEST(MetricsListenerTest, AChildMayMakeItsOwn) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizers' own locks are not held over fork(): a child of a process with "
                  "threads may start none (ThreadSanitizer) or may hang in it (AddressSanitizer)";
#endif
  fork_while_serving([](MetricsListener&) {
    const MetricsListener own(hello, any_port());
    return HttpClient(own.port()).get("/metrics").body == "hello 1\n";
  });
}

}  // namespace
}  // namespace inferometer
