#include "serving/arrival_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "error_text.h"
#include "inferometer/errors.h"
#include "simulated_arrivals.h"

namespace inferometer {
namespace {

Batching small_batches() {
  Batching batching;
  batching.max_batch_size = 4;
  batching.priority_levels = 2;
  return batching;
}

ArrivalReader reader_of(std::vector<SimulatedArrival> arrivals, int64_t until_ns = kNever,
                        size_t piece = 1000) {
  return {std::make_unique<ListedArrivals>(std::move(arrivals), piece), small_batches(), until_ns};
}

std::vector<int64_t> times_of(ArrivalReader reader) {
  std::vector<int64_t> times;
  while (reader.next_ns() != kNever) times.push_back(reader.take().at_ns);
  EXPECT_EQ(reader.next_ns(), kNever);  // and stays there
  return times;
}

std::string arrivals_error(std::vector<SimulatedArrival> arrivals) {
  return error_of([&] { times_of(reader_of(std::move(arrivals))); });
}

TEST(ArrivalReaderTest, GivesAllInTheirOrder) {
  std::vector<SimulatedArrival> arrivals;
  std::vector<int64_t> times;
  for (int64_t at = 0; at < 5000; ++at) {
    times.push_back(at / 2);
    arrivals.push_back({.at_ns = at / 2});
  }
  EXPECT_EQ(times_of(reader_of(arrivals)), times);
  EXPECT_EQ(times_of(reader_of(arrivals, kNever, 7)), times);
  EXPECT_EQ(times_of(reader_of({})), std::vector<int64_t>{});
  EXPECT_EQ(times_of(ArrivalReader(nullptr, small_batches(), kNever)), std::vector<int64_t>{});
}

TEST(ArrivalReaderTest, StopsBeforeTheEndOfItsTime) {
  EXPECT_EQ(times_of(reader_of({{.at_ns = 1}, {.at_ns = 2}, {.at_ns = 3}}, 3)),
            (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(times_of(reader_of({{.at_ns = 1}, {.at_ns = 2}, {.at_ns = 3}}, 3, 1)),
            (std::vector<int64_t>{1, 2}));
}

TEST(ArrivalReaderTest, RefusesWhatIsOutOfOrderOrRange) {
  EXPECT_EQ(arrivals_error({{.at_ns = 2'000'000}, {.at_ns = 1'000'000}}),
            "arrival 1: got 0.001000 s after 0.002000 s, want arrivals in the order of time");
  EXPECT_EQ(arrivals_error({{.at_ns = -1'000'000}}), "arrival 0: got -0.001000 s, want 0 or more");
  EXPECT_NE(arrivals_error({{.at_ns = kNever - 1}}).find("want at most 4611686018.4"),
            std::string::npos);
  EXPECT_EQ(arrivals_error({{.rows = 0}}), "arrival 0: got rows 0, want 1 to 4");
  EXPECT_EQ(arrivals_error({{}, {.rows = 5}}), "arrival 1: got rows 5, want 1 to 4");
  EXPECT_EQ(arrivals_error({{.priority = 3}}), "arrival 0: got priority 3, want 0 to 2");
  EXPECT_EQ(arrivals_error({{.group = ArrivalReader::kLimit}}),
            "arrival 0: got group 2147483647, want 0 to 2147483646");
  EXPECT_EQ(arrivals_error({{.bytes = -1}}), "arrival 0: got nbytes -1, want 0 to 70368744177664");
  EXPECT_EQ(arrivals_error({{.length = -2}}), "arrival 0: got length -2, want 0 to 2147483646");
}

}  // namespace
}  // namespace inferometer
