#include "backend/cuda/cublas_library.h"

#include <unistd.h>

#include "emulated_cuda.h"

namespace inferometer {
namespace {

class CublasLibraryTest : public EmulatedCuda {};

// First: once it is open, it is open. In a child, so that the other tests may open it.
TEST_F(CublasLibraryTest, ItsAbsenceNamesThePackage) {
  const auto look = [] {
    const std::string text = said([] { (void)cuda::CublasLibrary::open("/nowhere"); });
    const bool named =
        contains(text, "pip install 'nvidia-cublas==13.*'") && contains(text, "libcublas.so.13");
    _exit(named ? 0 : 1);
  };
  // "fast" would inherit what earlier tests have opened.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(look(), testing::ExitedWithCode(0), "");
}

TEST_F(CublasLibraryTest, IsOpenedOnce) {
  const auto& library = cuda::CublasLibrary::open(INFEROMETER_EMULATED_CUBLAS_FOLDER);
  EXPECT_EQ(&cuda::CublasLibrary::open("/nowhere"), &library);
  EXPECT_STREQ(library.status_string(cublas::kSuccess) == nullptr ? "" : "text", "text");
}

}  // namespace
}  // namespace inferometer
