// The backends that conformance tests run on, and memory on them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "backend/cpu_backend.h"
#include "backend/cpu_isa.h"
#include "backend/cuda/cuda_backend.h"
#include "backend/cuda_loader.h"
#include "backend/device_buffer.h"

namespace inferometer {

/// A backend by name, made when a test runs; nothing if this machine lacks the device.
struct BackendUnderTest {
  std::string name;
  std::function<std::shared_ptr<Backend>()> make;
  /// Relative error allowed: operands are summed in another order than the reference does.
  double tolerance;
};

/// The first GPU, where INFEROMETER_TEST_CUDA_MODULE names the module for it (scripts/test.sh
/// --cuda does).
inline std::shared_ptr<Backend> real_gpu() {
  const char* const module = std::getenv("INFEROMETER_TEST_CUDA_MODULE");
  const char* const cublas = std::getenv("INFEROMETER_CUBLAS");
  return cuda_module(module).make_backend(0, cublas != nullptr ? cublas : "");
}

inline std::vector<BackendUnderTest> backends_under_test() {
  std::vector<BackendUnderTest> backends;
  for (const CpuIsa& isa : cpu_isas()) {
    const auto make = [&isa]() -> std::shared_ptr<Backend> {
      return isa.runs_here ? make_cpu_backend(isa.name) : nullptr;
    };
    backends.push_back({"cpu_" + std::string(isa.name), make, 1e-5});
  }
  backends.push_back({"emulated_cuda",
                      [] { return cuda::make_backend(0, INFEROMETER_EMULATED_CUBLAS_FOLDER); },
                      1e-5});
  if (std::getenv("INFEROMETER_TEST_CUDA_MODULE") != nullptr) {
    backends.push_back({"cuda", real_gpu, 1e-5});
  }
  return backends;
}

/// Names the backend and compares against a reference within its tolerance.
class BackendTest : public testing::TestWithParam<BackendUnderTest> {
 protected:
  void SetUp() override {
    backend_ = GetParam().make();
    if (!backend_) GTEST_SKIP() << GetParam().name << " cannot run on this machine";
    stream_ = backend_->make_stream();
  }

  /// Floats on the device; the same seed gives the same floats.
  class Memory {
   public:
    Memory(const std::shared_ptr<Backend>& backend, Stream& stream, std::vector<float> host)
        : stream_(stream), host_(std::move(host)), buffer_(backend, bytes() + sizeof(float)) {
      // One element further: kernels may rely on the alignment of an element only.
      backend->load(buffer_.data() + sizeof(float),
                    reinterpret_cast<const std::byte*>(host_.data()), bytes());
    }
    [[nodiscard]] float* device() const {
      if (host_.empty()) return nullptr;
      return reinterpret_cast<float*>(buffer_.data() + sizeof(float));
    }
    [[nodiscard]] const std::vector<float>& host() const { return host_; }
    [[nodiscard]] std::vector<float> read() const {
      std::vector<float> values(host_.size());
      stream_.copy_out(reinterpret_cast<std::byte*>(values.data()), buffer_.data() + sizeof(float),
                       bytes());
      stream_.synchronize();
      return values;
    }

   private:
    [[nodiscard]] size_t bytes() const { return host_.size() * sizeof(float); }
    Stream& stream_;
    std::vector<float> host_;
    DeviceBuffer buffer_;
  };

  Memory random(int64_t count) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = uniform(generator_);
    return Memory(backend_, *stream_, std::move(values));
  }
  /// Filled with what must not survive.
  Memory output(size_t count) { return of(std::vector<float>(count, -777.0F)); }
  Memory of(std::vector<float> values) { return Memory(backend_, *stream_, std::move(values)); }

  void expect_near(const std::vector<float>& expected, const Memory& got, double scale = 1) {
    const std::vector<float> values = got.read();
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) {
      const double allowed = GetParam().tolerance * (std::abs(expected[i]) + scale);
      if (std::isnan(expected[i])) {
        ASSERT_TRUE(std::isnan(values[i])) << "element " << i << ": got " << values[i];
      } else {
        ASSERT_LE(std::abs(values[i] - expected[i]), allowed)
            << "element " << i << ": got " << values[i] << ", want " << expected[i];
      }
    }
  }

  std::shared_ptr<Backend> backend_;
  std::unique_ptr<Stream> stream_;
  std::mt19937 generator_{20};
};

}  // namespace inferometer
