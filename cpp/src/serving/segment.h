// Rows in memory: segments that requests are gathered in, and the outputs of a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "inferometer/tensor.h"
#include "serving/buffer_pool.h"

namespace inferometer {

/// Room for `capacity` rows of one signature (dtypes and shapes behind the row axis), one
/// contiguous buffer an input. Rows are given out front to back and never moved; a batch is a run
/// of them, so it reaches the model without another copy. `used` is guarded by the owning queue;
/// the rest is constant after construction; row memory is written once, by the request that holds
/// the rows.
struct Segment {
  Segment(BufferPool& pool, std::span<const TensorView> like, int64_t capacity_rows);

  /// True if `request`'s rows have this segment's dtypes and row shapes.
  [[nodiscard]] bool matches(std::span<const TensorView> request) const noexcept;
  [[nodiscard]] bool matches(const Segment& other) const noexcept;
  /// Rows [begin, begin + rows) of each input.
  [[nodiscard]] std::vector<TensorView> rows(int64_t begin, int64_t count) const;
  [[nodiscard]] std::byte* row(size_t input, int64_t index) const noexcept {
    return inputs[input].data.get() + inputs[input].row_bytes * static_cast<size_t>(index);
  }

  /// Copies rows like this segment's to `first_row` and behind.
  void fill(int64_t first_row, std::span<const TensorView> from) const noexcept;

  struct Input {
    DType dtype;
    Shape row_shape;
    size_t row_bytes;
    std::shared_ptr<std::byte> data;
  };
  std::vector<Input> inputs;
  int64_t capacity = 0;
  int64_t used = 0;
};

/// The outputs of one batch, shared by its requests: each reads its own rows. Constant once the
/// batch has ended; const-safe.
struct BatchOutput {
  struct Output {
    DType dtype;
    Shape shape;
    size_t row_bytes;
    std::shared_ptr<std::byte> data;
  };
  std::vector<Output> outputs;

  [[nodiscard]] std::vector<TensorView> rows(int64_t begin, int64_t count) const;
  [[nodiscard]] TensorView rows_of(size_t output, int64_t begin, int64_t count) const noexcept;
};

}  // namespace inferometer
