#include "backend/open_device.h"

#include "emulated_cuda.h"

namespace inferometer {
namespace {

class OpenDeviceTest : public EmulatedCuda {
 protected:
  const CudaFiles files_{INFEROMETER_EMULATED_CUDA, INFEROMETER_EMULATED_CUBLAS_FOLDER};
};

TEST_F(OpenDeviceTest, OpensByName) {
  EXPECT_TRUE(open_device("cpu", "", {})->uses_host_memory());
  EXPECT_TRUE(open_device("cuda:0", "", files_)->name().starts_with("cuda:0"));
  EXPECT_TRUE(open_device("cuda:1", "", files_)->name().starts_with("cuda:1"));
}

TEST_F(OpenDeviceTest, OtherNamesAreRefused) {
  for (const char* name :
       {"", "CPU", "gpu", "cuda", "cuda:", "cuda:-1", "cuda:1x", "cuda:99999999999"}) {
    EXPECT_TRUE(contains(error_of([&] { (void)open_device(name, "", files_); }), "want 'cpu'"))
        << name;
  }
}

TEST_F(OpenDeviceTest, ADeviceThatIsNotThereIsAnError) {
  EXPECT_TRUE(contains(said([&] { (void)open_device("cuda:2", "", files_); }),
                       "got cuda:2, there are 2 devices"));
  EXPECT_EQ(fault_of([] { (void)open_device("cuda:0", "", {}); }), DeviceFault::kUnavailable);
}

}  // namespace
}  // namespace inferometer
