#include "backend/cuda/cuda_kernels.h"
#include "cuda_kernels_fixture.h"
#include "reference_operations.h"

namespace inferometer {
namespace {

class CudaSoftmaxTest : public CudaKernelsTest {
 protected:
  void expect_softmax(const Softmax& op, int64_t rows, const DeviceFloats& x) {
    SCOPED_TRACE(testing::Message() << op.outer << " " << op.length << " " << op.inner);
    const DeviceFloats y = output(static_cast<int64_t>(x.host().size()));
    cuda::softmax(op, rows, x.device(), y.device(), stream_);
    // Nothing is added to what 1e-5 is relative to but the least that matters.
    expect_near(reference::softmax(op, rows, x.host()), y, 1e-5);
  }
};

TEST_F(CudaSoftmaxTest, AnyShape) {
  for (const int64_t outer : {1, 3}) {
    for (const int64_t length : {1, 2, 10, 255, 256, 1000}) {
      for (const int64_t inner : {1, 2, 31, 32, 33, 257}) {
        if (length * inner > 8000) continue;
        expect_softmax({outer, length, inner}, 2, random(2 * outer * length * inner));
      }
    }
  }
  expect_softmax({100, 3, 1}, 5, random(1500));  // many groups in a block
}

TEST_F(CudaSoftmaxTest, OfLongGroupsAndLargeNumbers) {
  std::vector<float> values(30000);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 7) * 30 - 1e4F;
  expect_softmax({1, 30000, 1}, 1, DeviceFloats(values));
  expect_softmax({1, 500, 60}, 1, DeviceFloats(values));
  expect_softmax({1, 3, 1}, 2, DeviceFloats({1000, 999, -1000, 5, 5, 5}));
}

TEST_F(CudaSoftmaxTest, NaNAndInfinityStayInTheirGroup) {
  for (const int64_t inner : {1, 5, 40}) {
    for (const float value : {kNaN, kInf, -kInf}) {
      for (const int64_t position : {0, 1, 8, 31, 39}) {
        SCOPED_TRACE(testing::Message() << value << " at " << position);
        std::vector<float> values(static_cast<size_t>(40 * inner), 1.0F);
        values[static_cast<size_t>(position * inner)] = value;
        expect_softmax({1, 40, inner}, 1, DeviceFloats(values));
      }
    }
    // Nothing but minus infinity.
    expect_softmax({1, 40, inner}, 1,
                   DeviceFloats(std::vector<float>(static_cast<size_t>(40 * inner), -kInf)));
  }
}

}  // namespace
}  // namespace inferometer
