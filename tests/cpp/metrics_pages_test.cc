#include "exposition/metrics_pages.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace inferometer {
namespace {

std::optional<HttpReply> page(const std::string& method, const std::string& target) {
  HttpRequest request;
  request.method = method;
  request.target = target;
  return page_without_metrics(request);
}

int status(const std::string& method, const std::string& target) {
  const auto reply = page(method, target);
  return reply ? reply->status : 0;
}

TEST(MetricsPagesTest, ScrapesAreLeftToTheRendering) {
  for (const char* target : {"/metrics", "/metrics/", "/metrics?x=1", "http://h/metrics"}) {
    EXPECT_EQ(status("GET", target), 0) << target;
    EXPECT_EQ(status("HEAD", target), 0) << target;
  }
}

TEST(MetricsPagesTest, OtherPathsSayWhereTheMetricsAre) {
  EXPECT_EQ(status("GET", "/"), 200);
  for (const char* target : {"/metricsx", "/metrics/x", "/favicon.ico", "//metrics", "", "*"}) {
    ASSERT_EQ(status("GET", target), 404) << target;
    EXPECT_NE(page("GET", target)->body->find("/metrics"), std::string::npos);
  }
  EXPECT_NE(page("GET", "/")->body->find("/metrics"), std::string::npos);
}

TEST(MetricsPagesTest, OtherMethodsAreToldWhichThereAre) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"}) {
    for (const char* target : {"/metrics", "/metrics/", "/"}) {
      ASSERT_EQ(status(method, target), 405) << method;
      EXPECT_EQ(page(method, target)->allow, "GET, HEAD");
    }
  }
  EXPECT_EQ(status("POST", "/elsewhere"), 404);
}

}  // namespace
}  // namespace inferometer
