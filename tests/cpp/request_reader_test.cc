#include "exposition/request_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer {
namespace {

constexpr size_t kLimit = 8192;
using State = RequestReader::State;

// What one reader says to `bytes`, given at once.
struct Read {
  explicit Read(std::string_view bytes, size_t limit = kLimit) : reader(limit) {
    used = reader.read(bytes);
  }
  [[nodiscard]] int refused_with() const {
    return reader.state() == State::kRefused ? reader.refusal().status : 0;
  }
  RequestReader reader;
  size_t used = 0;
};

TEST(RequestReaderTest, ReadsWhatTheHandlerNeeds) {
  const std::string request =
      "GET /metrics?a=b HTTP/1.1\r\nHost: x\r\nAccept: text/plain\r\nX-Other: 1\r\n"
      "accept-encoding: gzip\r\nAccept: */*;q=0.1\r\n\r\n";
  const Read read(request + "GET /next");
  ASSERT_EQ(read.reader.state(), State::kComplete);
  EXPECT_EQ(read.used, request.size());
  EXPECT_EQ(read.reader.request().method, "GET");
  EXPECT_EQ(read.reader.request().target, "/metrics?a=b");
  EXPECT_EQ(read.reader.request().accept, "text/plain, */*;q=0.1");
  EXPECT_EQ(read.reader.request().accept_encoding, "gzip");
  EXPECT_TRUE(read.reader.request().keep_alive);
}

TEST(RequestReaderTest, ConnectionSemanticsOfBothVersions) {
  const auto keeps = [](const std::string& version, const std::string& fields) {
    const Read read("GET / HTTP/" + version + "\r\nHost: x\r\n" + fields + "\r\n");
    EXPECT_EQ(read.reader.state(), State::kComplete);
    return read.reader.request().keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", ""));
  EXPECT_FALSE(keeps("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(keeps("1.0", ""));
  EXPECT_TRUE(keeps("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(RequestReaderTest, BytesMayComeOneByOneAndRequestsOneAfterTheOther) {
  const std::string request = "HEAD /m HTTP/1.1\r\nHost: x\r\nAccept: a\r\n\r\n";
  const std::string stream = request + "\r\n" + request + request;
  RequestReader reader(kLimit);
  size_t begin = 0;
  int complete = 0;
  for (size_t end = 1; end <= stream.size(); ++end) {
    begin += reader.read(std::string_view(stream).substr(begin, end - begin));
    ASSERT_NE(reader.state(), State::kRefused) << end;
    if (reader.state() == State::kComplete) {
      EXPECT_EQ(reader.request().target, "/m");
      EXPECT_EQ(reader.request().accept, "a");
      ++complete;
      reader.next();
    }
  }
  EXPECT_EQ(complete, 3);
  EXPECT_EQ(begin, stream.size());
}

TEST(RequestReaderTest, ACompleteOrRefusedRequestUsesNoMoreBytes) {
  Read complete("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(complete.reader.read("GET / HTTP/1.0\r\n\r\n"), 0U);
  Read refused("nonsense\r\n");
  EXPECT_EQ(refused.reader.read("GET / HTTP/1.0\r\n\r\n"), 0U);
}

TEST(RequestReaderTest, WhatIsNotHttpIsRefusedAtOnce) {
  for (const std::string_view bytes : {
           std::string_view("\x16\x03\x01\x02"),    // TLS
           std::string_view("\0\0\0", 3),           //
           std::string_view("garbage\r\n"),         // no target
           std::string_view(" / HTTP/1.1\r\n"),     // no method
           std::string_view("GET /metrics\r\n"),    // HTTP/0.9
           std::string_view("GET / HTTP/1.1\n"),    // a bare line feed
           std::string_view("GET / XTTP/1.1\r\n"),  //
           std::string_view("SSH-2.0-x\r\n"),
       }) {
    EXPECT_EQ(Read(bytes).refused_with(), 400) << bytes;
  }
}

TEST(RequestReaderTest, MalformedRequestsAreRefused) {
  for (const std::string fields :
       {"Host: x\r\nHost: y\r\n", "", "Host : x\r\n", "Host: x\r\nbroken\r\n",
        "Host: x\r\nA: \x01\r\n", "Host: x\r\nContent-Length: -1\r\n",
        "Host: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n",
        "Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Host: x\nA: b\r\n"}) {
    EXPECT_EQ(Read("GET / HTTP/1.1\r\n" + fields + "\r\n").refused_with(), 400) << fields;
  }
}

TEST(RequestReaderTest, OtherVersionsAreRefused) {
  EXPECT_EQ(Read("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refused_with(), 505);
  EXPECT_EQ(Read("GET / HTTP/3.1\r\nHost: x\r\n\r\n").refused_with(), 505);
}

TEST(RequestReaderTest, BodiesAreRefused) {
  EXPECT_EQ(Read("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n").refused_with(), 413);
  EXPECT_EQ(Read("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n").refused_with(),
            413);
  EXPECT_EQ(
      Read("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n").refused_with(),
      413);
  EXPECT_EQ(Read("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n").refused_with(),
            501);
  EXPECT_EQ(Read("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").reader.state(),
            State::kComplete);
}

TEST(RequestReaderTest, Expectations) {
  const std::string request = "GET / HTTP/1.1\r\nHost: x\r\nExpect: ";
  EXPECT_EQ(Read(request + "100-Continue\r\n\r\n").reader.state(), State::kComplete);
  EXPECT_EQ(Read(request + "miracles\r\n\r\n").refused_with(), 417);
}

TEST(RequestReaderTest, HeadsThatAreTooLongAreRefused) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\nA: ";
  EXPECT_EQ(Read(start + std::string(kLimit, 'a')).refused_with(), 431);
  EXPECT_EQ(Read("GET /" + std::string(kLimit, 'a')).refused_with(), 431);
  EXPECT_EQ(Read(std::string(kLimit, 'G')).refused_with(), 431);
  std::string many = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 2000; ++i) many += "A: b\r\n";
  EXPECT_EQ(Read(many + "\r\n").refused_with(), 431);
  EXPECT_EQ(Read(std::string(kLimit + 2, '\n')).refused_with(), 431);
  EXPECT_EQ(Read(start + std::string(200, 'a') + "\r\n\r\n", 128).refused_with(), 431);
  EXPECT_EQ(Read(start + std::string(kLimit / 2, 'a') + "\r\n\r\n").reader.state(),
            State::kComplete);
}

// Any bytes, in any pieces: each request is complete or refused or waits for more, within bounds.
TEST(RequestReaderTest, SurvivesMutatedRequests) {
  const std::string seed =
      "GET /metrics HTTP/1.1\r\nHost: localhost:8002\r\nUser-Agent: x\r\nAccept: text/plain;q=0.5,"
      "*/*\r\nAccept-Encoding: gzip\r\nConnection: keep-alive, x\r\nContent-Length: 0\r\nTransfer-"
      "Encoding: chunked\r\nExpect: 100-continue\r\n folded\r\n\r\n";
  std::mt19937 random(1);
  const auto below = [&](size_t bound) { return random() % bound; };
  int complete = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seed;
    for (size_t edits = below(4); edits > 0; --edits) {
      const size_t at = below(bytes.size());
      switch (below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, 1 + below(40));
          break;
        case 2:
          bytes.insert(at, 1 + below(8), static_cast<char>(random()));
          break;
        default:
          bytes.insert(at, bytes.substr(below(bytes.size()), below(60)));
      }
      if (bytes.empty()) bytes = "\r\n";
    }
    RequestReader reader(512);
    size_t begin = 0;
    size_t end = 0;
    while (end < bytes.size() && reader.state() == State::kIncomplete) {
      end = std::min(bytes.size(), end + 1 + below(200));
      begin += reader.read(std::string_view(bytes).substr(begin, end - begin));
      ASSERT_LE(begin, end);
      ASSERT_LE(end - begin, 512U + 200U);
    }
    if (reader.state() == State::kComplete) ++complete;
    if (reader.state() == State::kRefused) {
      ASSERT_GE(reader.refusal().status, 400);
    }
  }
  EXPECT_GT(complete, 100);
}

}  // namespace
}  // namespace inferometer
