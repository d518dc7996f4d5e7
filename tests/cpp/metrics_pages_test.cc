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

// Status 0 for a scrape.
HttpReply reply_to(const std::string& method, const std::string& target) {
  HttpReply scrape;
  scrape.status = 0;
  return page(method, target).value_or(scrape);
}

int status(const std::string& method, const std::string& target) {
  return reply_to(method, target).status;
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
    EXPECT_NE(reply_to("GET", target).body->find("/metrics"), std::string::npos);
  }
  EXPECT_NE(reply_to("GET", "/").body->find("/metrics"), std::string::npos);
}

TEST(MetricsPagesTest, OtherMethodsAreToldWhichThereAre) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"}) {
    for (const char* target : {"/metrics", "/metrics/", "/"}) {
      ASSERT_EQ(status(method, target), 405) << method;
      EXPECT_EQ(reply_to(method, target).allow, "GET, HEAD");
    }
  }
  EXPECT_EQ(status("POST", "/elsewhere"), 404);
}

}  // namespace
}  // namespace inferometer
