#include "model/broadcast.h"

#include <algorithm>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::vector<int64_t> strides_of(const Shape& shape, size_t rank) {
  std::vector<int64_t> strides(rank, 0);
  int64_t stride = 1;
  for (size_t i = 0; i < shape.rank(); ++i) {
    const int64_t dim = shape[shape.rank() - 1 - i];
    if (dim != 1) strides[rank - 1 - i] = stride;
    stride *= dim;
  }
  return strides;
}

}  // namespace

Shape row_shape_of_operand(const Graph& graph, ValueId id, size_t rank) {
  const Value& value = graph.value(id);
  if (value.kind != ValueKind::kConstant) {
    // With fewer dimensions its rows would line up with another dimension of the result.
    if (value.shape.rank() + 1 != rank && !graph.single_row) {
      throw UnsupportedOperatorError("broadcasting \"" + value.name + "\" to " +
                                     std::to_string(rank) +
                                     " dimensions moves its rows, which mixes the rows of a batch");
    }
    return value.shape;
  }
  if (value.shape.rank() < rank) return value.shape;
  if (value.shape.rank() > rank || value.shape[0] != 1) {
    throw UnsupportedOperatorError("a constant of shape " + value.shape.to_string() +
                                   " fixes the number of rows");
  }
  return value.shape.tail(1);
}

Broadcast broadcast(const Shape& a, const Shape& b) {
  const size_t rank = std::max(a.rank(), b.rank());
  Broadcast result{.dims = std::vector<int64_t>(rank, 1),
                   .a_strides = strides_of(a, rank),
                   .b_strides = strides_of(b, rank)};
  for (size_t i = 0; i < rank; ++i) {
    const int64_t a_dim = i < a.rank() ? a[a.rank() - 1 - i] : 1;
    const int64_t b_dim = i < b.rank() ? b[b.rank() - 1 - i] : 1;
    if (a_dim != b_dim && a_dim != 1 && b_dim != 1) {
      throw ConfigError("shapes " + a.to_string() + " and " + b.to_string() +
                        " (per row) cannot be broadcast");
    }
    result.dims[rank - 1 - i] = a_dim == 1 ? b_dim : a_dim;
  }
  return result;
}

Broadcast merged(const Broadcast& broadcast) {
  Broadcast result;
  for (size_t i = 0; i < broadcast.dims.size(); ++i) {
    const int64_t dim = broadcast.dims[i];
    if (dim == 1) continue;
    const int64_t a = broadcast.a_strides[i];
    const int64_t b = broadcast.b_strides[i];
    if (!result.dims.empty() && result.a_strides.back() == a * dim &&
        result.b_strides.back() == b * dim) {
      result.dims.back() *= dim;
      result.a_strides.back() = a;
      result.b_strides.back() = b;
    } else {
      result.dims.push_back(dim);
      result.a_strides.push_back(a);
      result.b_strides.push_back(b);
    }
  }
  return result;
}

}  // namespace inferometer
