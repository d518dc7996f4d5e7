#include "exposition/http_server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "served_http.h"

namespace inferometer {
namespace {

using testing::echo;
using testing::HttpClient;
using testing::kGet;
using testing::reply_of;
using testing::Served;
using testing::Withheld;

TEST(HttpServerTest, WhileOneIsAnsweredOrReadsSlowlyOthersAreServed) {
  Withheld withheld;
  const auto large = reply_of(std::string(32 << 20, 'x'));
  const Served served([&](const HttpRequest& request, const HttpRespond& respond) {
    if (request.target == "/later") {
      withheld.handler()(request, respond);
    } else if (request.target == "/large") {
      respond(large);
    } else {
      echo(request, respond);
    }
  });
  HttpClient later(served.port);
  later.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  HttpClient slow(served.port, 4096);
  slow.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_GT(slow.receive(100), 0);
  HttpClient client(served.port);
  EXPECT_EQ(client.get("/a").body, "GET /a");
  std::thread([respond = withheld.take()] { respond(reply_of("late")); }).join();
  EXPECT_EQ(later.reply().body, "late");
}

TEST(HttpServerTest, AtTheLimitTheLongestIdleConnectionGivesWay) {
  ListenerLimits limits;
  limits.max_connections = 2;
  const Served served(echo, limits);
  HttpClient first(served.port);
  EXPECT_EQ(first.get("/1").status, 200);
  HttpClient second(served.port);
  EXPECT_EQ(second.get("/2").status, 200);
  EXPECT_EQ(first.get("/1").status, 200);  // now the second is idle for longer
  HttpClient third(served.port);
  EXPECT_EQ(third.get("/3").status, 200);
  EXPECT_EQ(second.rest(), "");
  EXPECT_EQ(first.get("/1").status, 200);
}

TEST(HttpServerTest, WhereAllAreBeingAnsweredANewOneIsTurnedAway) {
  Withheld withheld;
  ListenerLimits limits;
  limits.max_connections = 1;
  const Served served(withheld.handler(), limits);
  HttpClient busy(served.port);
  busy.send(kGet);
  const HttpRespond respond = withheld.take();
  HttpClient turned_away(served.port);
  EXPECT_EQ(turned_away.reply().status, 503);
  EXPECT_EQ(turned_away.rest(), "");
  respond(reply_of("served"));
  EXPECT_EQ(busy.reply().body, "served");
}

TEST(HttpServerTest, RepliesThatNobodyReadsAreBounded) {
  constexpr size_t kBytes = size_t{16} << 20;
  ListenerLimits limits;
  limits.max_unread_bytes = 2 * kBytes;
  Mutex mutex;
  std::vector<std::weak_ptr<const std::string>> bodies;
  const Served served(
      [&](const HttpRequest&, const HttpRespond& respond) {
        const HttpReply reply = reply_of(std::string(kBytes, 'x'));
        {
          const MutexLock lock(mutex);
          bodies.push_back(reply.body);
        }
        respond(reply);
      },
      limits);
  std::vector<std::unique_ptr<HttpClient>> slow;
  for (int i = 0; i < 6; ++i) {
    slow.push_back(std::make_unique<HttpClient>(served.port, 4096));
    slow.back()->send(kGet);
    ASSERT_GT(slow.back()->receive(10), 0);
  }
  const MutexLock lock(mutex);
  size_t alive = 0;
  for (const auto& body : bodies) alive += body.expired() ? 0U : 1U;
  EXPECT_EQ(alive, 2U);
  EXPECT_LT(slow.front()->rest().size(), kBytes);
  EXPECT_EQ(slow.back()->reply().body.size(), kBytes) << "the newest is always served";
}

TEST(HttpServerTest, SixtyFourAtOnceAreAllAnswered) {
  const auto large = reply_of(std::string(300'000, 'x'));
  const Served served([&](const HttpRequest&, const HttpRespond& respond) { respond(large); });
  std::latch start(64);
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  threads.reserve(64);
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] {
      HttpClient client(served.port);
      start.arrive_and_wait();
      if (client.get("/").body == *large.body) ++answered;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 64);
}

TEST(HttpServerTest, StopEndsOpenConnections) {
  Withheld withheld;
  Served served(withheld.handler());
  HttpClient idle(served.port);
  HttpClient begun(served.port);
  begun.send("GET /a HT");
  HttpClient waiting(served.port);
  waiting.send(kGet);
  HttpRespond respond = withheld.take();
  served.server.stop();
  for (HttpClient* client : {&idle, &begun, &waiting}) EXPECT_EQ(client->rest(), "");
  respond(reply_of("too late"));
  respond = nullptr;
  EXPECT_THROW(HttpClient(served.port), std::runtime_error);
  served.server.stop();
}

TEST(HttpServerTest, WithoutDescriptorsItWaitsAndSaysSo) {
  Served served(echo);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int last = dup(STDIN_FILENO);  // all below it are in use
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(last) + 1;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
  close(last);
  HttpClient client(served.port);  // takes the last one
  client.send(kGet);
  served.told.acquire();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.reply().body, "GET /a");
  const MutexLock lock(served.mutex);
  EXPECT_NE(served.errors.front().find("Too many open files"), std::string::npos);
}

TEST(HttpServerTest, AChildKeepsNoConnectionAndNoPort) {
  Served served(echo);
  HttpClient client(served.port);
  EXPECT_EQ(client.get("/a").status, 200);
  std::array<int, 2> end{};
  ASSERT_EQ(pipe(end.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(end[1]);
    char byte = 0;
    _exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
  }
  EXPECT_EQ(client.get("/a").status, 200);
  served.server.stop();
  // The child lives, and yet the client sees the end and the port is free.
  EXPECT_EQ(client.rest(), "");
  EXPECT_NO_THROW(ListeningSocket("127.0.0.1", served.port));
  close(end[1]);
  close(end[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace inferometer
