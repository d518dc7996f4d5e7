// A CUDA source, compiled as C++ by inferometer_emulate_cuda() into a library of its own.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "emulated_array.h"
#include "emulation_kernels.h"

namespace inferometer {
namespace {

using EmulationSourceTest = EmulationTest;

TEST_F(EmulationSourceTest, Softmax) {
  constexpr unsigned kRows = 3;
  constexpr unsigned kColumns = 300;
  std::vector<float> x(size_t{kRows} * kColumns);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 31 % 17) * 0.5F;
  const Array<float> device_x(x);
  const Array<float> device_y(std::vector<float>(x.size(), 0.0F));
  queue_softmax(device_x.data(), device_y.data(), kRows, kColumns, nullptr);
  const std::vector<float> y = device_y.values();
  for (size_t row = 0; row < kRows; ++row) {
    double sum = 0.0;
    for (size_t i = 0; i < kColumns; ++i) sum += std::exp(double{x[row * kColumns + i]});
    for (size_t i = 0; i < kColumns; ++i) {
      const double wanted = std::exp(double{x[row * kColumns + i]}) / sum;
      ASSERT_NEAR(y[row * kColumns + i], wanted, 1e-6) << row << ' ' << i;
    }
  }
}

TEST_F(EmulationSourceTest, BlocksFindNothingOfOneAnother) {
  const Array<float> found(std::vector<float>(size_t{5} * 128, 0.0F));
  for (int i = 0; i < 2; ++i) {
    queue_leftovers(found.data(), 5, nullptr);
    EXPECT_EQ(found.values(), std::vector<float>(size_t{5} * 128, 1.0F));
  }
}

}  // namespace
}  // namespace inferometer
