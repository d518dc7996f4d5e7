#include "inferometer/devices.h"

#include "emulated_cuda.h"

namespace inferometer {
namespace {

class DevicesTest : public EmulatedCuda {
 protected:
  const CudaFiles files_{INFEROMETER_EMULATED_CUDA, INFEROMETER_EMULATED_CUBLAS_FOLDER};
};

TEST_F(DevicesTest, TheCpuComesFirstThenEveryGpu) {
  const std::vector<DeviceInfo> found = devices(files_);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].name, "cpu");
  EXPECT_GT(found[0].memory_bytes, 0);
  EXPECT_EQ(found[2].name, "cuda:1");
  EXPECT_TRUE(contains(found[2].description, "compute capability"));
  for (const DeviceInfo& device : found) EXPECT_EQ(device.unavailable, "");
}

TEST_F(DevicesTest, WithoutGpusOneEntrySaysWhy) {
  emulation::set_devices(0);
  std::vector<DeviceInfo> found = devices(files_);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].name, "cuda");
  EXPECT_TRUE(contains(found[1].unavailable, "cudaErrorNoDevice"));
  found = devices({});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(contains(found[1].unavailable, "this build has no CUDA"));
}

TEST_F(DevicesTest, LookingTouchesNoGpu) {
  emulation::reset_calls();
  (void)devices(files_);
  EXPECT_EQ(emulation::calls("cudaMalloc"), 0U);
  EXPECT_EQ(emulation::calls("cudaSetDevice"), 0U);
}

}  // namespace
}  // namespace inferometer
