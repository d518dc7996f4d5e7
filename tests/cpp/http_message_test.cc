#include "exposition/http_message.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace inferometer {
namespace {

TEST(HttpMessageTest, AHeadNamesEverythingAClientNeeds) {
  HttpReply reply;
  reply.content_type = "text/plain; version=0.0.4";
  reply.body = std::make_shared<const std::string>("a 1\n");
  EXPECT_EQ(reply_head(reply, true, 784111777),
            "HTTP/1.1 200 OK\r\n"
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Content-Type: text/plain; version=0.0.4\r\n"
            "Content-Length: 4\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Connection: keep-alive\r\n"
            "\r\n");
}

TEST(HttpMessageTest, FieldsThatOnlySomeRepliesHave) {
  HttpReply reply = text_reply(405, "no");
  reply.allow = "GET, HEAD";
  reply.content_encoding = "gzip";
  reply.vary = "Accept";
  const std::string head = reply_head(reply, false, 0);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\n")) << head;
  EXPECT_NE(head.find("\r\nAllow: GET, HEAD\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nVary: Accept\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nContent-Encoding: gzip\r\n"), std::string::npos);
  EXPECT_NE(head.find("\r\nConnection: close\r\n"), std::string::npos);
  EXPECT_EQ(*reply.body, "no\n");
}

TEST(HttpMessageTest, AStatusWithoutAKnownReasonIsStillAStatusLine) {
  EXPECT_TRUE(reply_head(text_reply(299, ""), true, 0).starts_with("HTTP/1.1 299 Unknown\r\n"));
}

TEST(HttpMessageTest, PathsOfTargets) {
  EXPECT_EQ(path_of("/metrics"), "/metrics");
  EXPECT_EQ(path_of("/metrics?name[]=a?b"), "/metrics");
  EXPECT_EQ(path_of("/?"), "/");
  EXPECT_EQ(path_of("http://host:8002/metrics?x"), "/metrics");
  EXPECT_EQ(path_of("HTTP://host"), "/");
  EXPECT_EQ(path_of("http://host?x=/metrics"), "/");
  EXPECT_EQ(path_of("http:/metrics"), "http:/metrics");
  EXPECT_EQ(path_of("*"), "*");
  EXPECT_EQ(path_of(""), "");
}

}  // namespace
}  // namespace inferometer
