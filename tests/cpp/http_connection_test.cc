// Through a server and its sockets, as HttpConnection itself would have to be driven by Boost.Asio.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "served_http.h"

namespace inferometer {
namespace {

using testing::echo;
using testing::HttpClient;
using testing::kGet;
using testing::reply_of;
using testing::Served;
using testing::Withheld;

TEST(HttpConnectionTest, AConnectionServesManyRequests) {
  const Served served(echo);
  HttpClient client(served.port);
  for (int i = 0; i < 3; ++i) {
    const std::string path = std::string("/").append(std::to_string(i));
    const auto reply = client.get(path);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, std::string("GET ").append(path));
    EXPECT_EQ(reply.fields.at("connection"), "keep-alive");
  }
}

TEST(HttpConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  const Served served(echo);
  HttpClient client(served.port);
  std::string requests;
  for (int i = 0; i < 500; ++i) {  // more than a buffer holds
    requests.append("GET /").append(std::to_string(i)).append(" HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  std::thread sender([&] { client.send(requests); });
  for (int i = 0; i < 500; ++i) {
    ASSERT_EQ(client.reply().body, std::string("GET /").append(std::to_string(i)));
  }
  sender.join();
}

TEST(HttpConnectionTest, HeadHasTheLengthAndNoBody) {
  const Served served(echo);
  HttpClient client(served.port);
  client.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  EXPECT_EQ(client.reply(true).fields.at("content-length"), "7");
  EXPECT_EQ(client.reply().body, "GET /a");
}

TEST(HttpConnectionTest, AClientThatAsksForTheEndGetsIt) {
  const Served served(echo);
  for (const char* request :
       {"GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"}) {
    HttpClient client(served.port);
    client.send(request);
    EXPECT_EQ(client.reply().fields.at("connection"), "close");
    EXPECT_EQ(client.rest(), "");
  }
  HttpClient half_closed(served.port);
  half_closed.send(kGet);
  half_closed.end_sending();
  EXPECT_EQ(half_closed.reply().body, "GET /a");
  EXPECT_EQ(half_closed.rest(), "");
}

TEST(HttpConnectionTest, ARefusalReachesEvenAClientThatGoesOnSending) {
  const Served served(echo);
  HttpClient client(served.port);
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n");
  client.send(std::string(4'000'000, 'x'));
  client.end_sending();
  EXPECT_EQ(client.reply().status, 413);
  EXPECT_EQ(client.rest(), "");

  HttpClient garbage(served.port);
  garbage.send("\x16\x03\x01 nonsense");
  EXPECT_EQ(garbage.reply().status, 400);
  EXPECT_EQ(garbage.rest(), "");
}

TEST(HttpConnectionTest, LargeRepliesArriveWhole) {
  std::string text;
  for (int i = 0; i < 500'000; ++i) text.append(std::to_string(i)).append("\n");
  const HttpReply large = reply_of(text);
  const Served served([&](const HttpRequest&, const HttpRespond& respond) { respond(large); });
  HttpClient client(served.port);
  EXPECT_EQ(client.get("/").body, text);
  EXPECT_EQ(client.get("/").body, text);
}

TEST(HttpConnectionTest, ALateRequestGets408HoweverItDrips) {
  ListenerLimits limits;
  limits.request_timeout = 0.2;
  const Served served(echo, limits);
  HttpClient client(served.port);
  std::atomic<bool> stop{false};
  std::thread drip([&] {  // never a quiet moment, and never an end
    client.send("GET /a HTTP/1.1\r\nHost: x\r\nA: ");
    while (!stop && client.send("x")) usleep(20'000);
  });
  EXPECT_EQ(client.reply().status, 408);
  stop = true;
  drip.join();
  client.end_sending();
  EXPECT_EQ(client.rest(), "");
}

TEST(HttpConnectionTest, AnIdleConnectionEndsInSilence) {
  ListenerLimits limits;
  limits.idle_timeout = 0.1;
  const Served served(echo, limits);
  HttpClient fresh(served.port);
  EXPECT_EQ(fresh.rest(), "");
  HttpClient used(served.port);
  EXPECT_EQ(used.get("/a").status, 200);
  EXPECT_EQ(used.rest(), "");
}

TEST(HttpConnectionTest, AReaderThatIsTooSlowIsCutOff) {
  ListenerLimits limits;
  limits.reply_timeout = 0.2;
  const auto large = reply_of(std::string(32 << 20, 'x'));
  const Served served([&](const HttpRequest&, const HttpRespond& respond) { respond(large); },
                      limits);
  HttpClient slow(served.port, 4096);
  slow.send(kGet);
  while (large.body.use_count() == 1) std::this_thread::yield();  // it is being written
  while (large.body.use_count() > 1) std::this_thread::yield();   // it is given up
  EXPECT_LT(slow.rest().size(), large.body->size());
}

TEST(HttpConnectionTest, AHandlerThatNeverAnswersCostsTheConnectionOnly) {
  ListenerLimits limits;
  limits.reply_timeout = 0.1;
  const Served served(
      [](const HttpRequest& request, const HttpRespond& respond) {
        if (request.target == "/a") echo(request, respond);
      },
      limits);
  HttpClient client(served.port);
  client.send("GET /never HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(HttpClient(served.port).get("/a").status, 200);
}

TEST(HttpConnectionTest, AnAnswerForAClientThatHasGoneIsDropped) {
  Withheld withheld;
  ListenerLimits limits;
  limits.reply_timeout = 0.1;
  const Served served(withheld.handler(), limits);
  HttpClient client(served.port);
  client.send(kGet);
  const HttpRespond respond = withheld.take();
  EXPECT_EQ(client.rest(), "");
  respond(reply_of("too late"));
  HttpClient next(served.port);
  next.send(kGet);
  withheld.take()(reply_of("next"));
  EXPECT_EQ(next.reply().body, "next");
}

}  // namespace
}  // namespace inferometer
