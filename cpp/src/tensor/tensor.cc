#include "inferometer/tensor.h"

#include <cstring>
#include <limits>
#include <new>

#include "inferometer/errors.h"

namespace inferometer {

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  if (__builtin_mul_overflow(static_cast<size_t>(shape.elements()), dtype_size(dtype), &bytes_) ||
      bytes_ > static_cast<size_t>(std::numeric_limits<int64_t>::max())) {
    throw ShapeError("shape " + shape.to_string() + " of " + std::string(dtype_name(dtype)) +
                     " has more bytes than can be addressed");
  }
  data_.reset(static_cast<std::byte*>(
      ::operator new(bytes_ == 0 ? 1 : bytes_, std::align_val_t{kAlignment})));
}

Tensor Tensor::copy_of(const TensorView& view) {
  Tensor tensor(view.dtype, view.shape);
  if (tensor.bytes_ > 0) std::memcpy(tensor.data_.get(), view.data, tensor.bytes_);
  return tensor;
}

void Tensor::Free::operator()(std::byte* data) const noexcept {
  ::operator delete(data, std::align_val_t{kAlignment});
}

}  // namespace inferometer
