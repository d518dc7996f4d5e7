#include "telemetry/record/family_spec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace inferometer {
namespace {

TEST(FamilySpecTest, CatalogueBoundsAreShownInSeconds) {
  const FamilySpec latency = FamilySpec::of(metric_info(Metric::kLatency));
  EXPECT_EQ(latency.le,
            (std::vector<std::string>{"2.5e-05", "5e-05", "0.0001", "0.00025", "0.0005", "0.001",
                                      "0.0025",  "0.005", "0.01",   "0.025",   "0.05",   "0.1",
                                      "0.25",    "0.5",   "1.0",    "2.0",     "2.5",    "5.0",
                                      "10.0",    "30.0",  "60.0",   "+Inf"}));
  EXPECT_EQ(latency.words(), stripe_words(Metric::kLatency));
  const FamilySpec batch = FamilySpec::of(metric_info(Metric::kBatchSize));
  EXPECT_EQ(batch.le.front(), "1.0");
  EXPECT_EQ(batch.le[10], "1024.0");
}

}  // namespace
}  // namespace inferometer
