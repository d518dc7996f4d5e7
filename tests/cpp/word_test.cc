#include "base/word.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace inferometer {
namespace {

double real(const Word& word) { return std::bit_cast<double>(word.load()); }

TEST(WordTest, ASingleWriterAdds) {
  Word word{5};
  add_single_writer(word, 3);
  EXPECT_EQ(word, 8U);
  add_single_writer(word, static_cast<uint64_t>(int64_t{-10}));
  EXPECT_EQ(static_cast<int64_t>(word.load()), -2);
}

TEST(WordTest, AddsToTheDoubleInAWord) {
  Word word{std::bit_cast<uint64_t>(0.5)};
  add_shared_double(word, 0.25);
  EXPECT_EQ(real(word), 0.75);
  add_shared_double(word, -1);
  EXPECT_EQ(real(word), -0.25);
}

TEST(WordTest, NoAdditionOfManyThreadsIsLost) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 5000;
  Word integer{0};
  Word floating{0};  // the bits of 0.0
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        add_shared(integer, 2);
        add_shared_double(floating, 0.5);  // exact, so the order does not matter
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(integer, uint64_t{2} * kThreads * kRounds);
  EXPECT_EQ(real(floating), 0.5 * kThreads * kRounds);
}

}  // namespace
}  // namespace inferometer
