#include "backend/cuda_loader.h"

#include "emulated_cuda.h"

namespace inferometer {
namespace {

class CudaLoaderTest : public EmulatedCuda {};

TEST_F(CudaLoaderTest, OpensTheSharedObjectOnce) {
  const CudaModule& module = cuda_module(INFEROMETER_EMULATED_CUDA);
  EXPECT_EQ(&cuda_module(INFEROMETER_EMULATED_CUDA), &module);
  ASSERT_EQ(module.devices().size(), 2U);
  EXPECT_EQ(module.devices()[1].index, 1);
  EXPECT_GT(module.devices()[1].memory_bytes, 0);
}

TEST_F(CudaLoaderTest, ItsErrorsAreOurErrors) {
  emulation::set_driver(false);
  const CudaModule& module = cuda_module(INFEROMETER_EMULATED_CUDA);
  EXPECT_TRUE(contains(said([&] { (void)module.devices(); }), "cudaErrorInsufficientDriver"));
  EXPECT_EQ(fault_of([&] { (void)module.make_backend(0, ""); }), DeviceFault::kUnavailable);
}

TEST_F(CudaLoaderTest, SaysWhyThereIsNone) {
  EXPECT_TRUE(contains(said([] { (void)cuda_module(""); }), "this build has no CUDA"));
  EXPECT_TRUE(contains(said([] { (void)cuda_module("/nowhere/_cuda.so"); }), "/nowhere/_cuda.so"));
  EXPECT_TRUE(contains(said([] { (void)cuda_module("libz.so.1"); }),
                       "libz.so.1 is not CUDA's part of inferometer"));
}

}  // namespace
}  // namespace inferometer
