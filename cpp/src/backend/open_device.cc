#include "backend/open_device.h"

#include <charconv>
#include <optional>
#include <system_error>

#include "backend/cpu_backend.h"
#include "backend/cuda_loader.h"
#include "inferometer/errors.h"

namespace inferometer {
namespace {

constexpr std::string_view kCudaPrefix = "cuda:";

std::optional<int> cuda_index(std::string_view name) {
  if (!name.starts_with(kCudaPrefix)) return std::nullopt;
  const std::string_view digits = name.substr(kCudaPrefix.size());
  int index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size() || index < 0) {
    return std::nullopt;
  }
  return index;
}

}  // namespace

std::shared_ptr<Backend> open_device(std::string_view name, std::string_view cpu_isa,
                                     const CudaFiles& files) {
  if (name == "cpu") return make_cpu_backend(cpu_isa);
  const std::optional<int> index = cuda_index(name);
  if (!index) {
    throw ConfigError("got device '" + std::string(name) +
                      "', want 'cpu' or 'cuda:0', 'cuda:1', ...");
  }
  return cuda_module(files.module).make_backend(*index, files.cublas);
}

}  // namespace inferometer
