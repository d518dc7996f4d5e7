// The devices that native models can run on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace inferometer {

/// Where the parts lie that are opened when somebody asks for a GPU.
struct CudaFiles {
  /// The shared object with CUDA's part. Empty: this build has none.
  std::string module = {};
  /// The folder of libcublas.so.13. Empty: where the dynamic linker finds it.
  std::string cublas = {};
};

/// A device, or a kind of devices that cannot be used and why. A value type.
struct DeviceInfo {
  std::string name;         // "cpu", "cuda:0"; "cuda" if there are none
  std::string description;  // the instruction set, or what the GPU calls itself
  int64_t memory_bytes = 0;
  std::string unavailable = {};  // why it cannot be used; empty: it can
};

/// The CPU, then every GPU, or one entry that says why there are none. Opens CUDA's part, but no
/// context on any GPU. Thread-safe.
[[nodiscard]] std::vector<DeviceInfo> devices(const CudaFiles& files);

}  // namespace inferometer
