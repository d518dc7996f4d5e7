// Inputs to a device and outputs from it, through host memory that it copies from by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backend/device_buffer.h"
#include "inferometer/tensor.h"
#include "model/compiled_graph.h"

namespace inferometer {

/// Staging memory of one instance, for a device that cannot reach the caller's. It grows to the
/// largest batch seen. Single-owner; what was staged belongs to the stream until that has been
/// synchronised.
class StagedIo {
 public:
  /// Host bytes that `rows` rows take.
  [[nodiscard]] static int64_t bytes(const CompiledGraph& graph, int64_t rows) noexcept;

  /// Room for `rows` rows; nothing may be under way.
  void reserve(const CompiledGraph& graph, int64_t rows);
  /// Copies the inputs, then queues their way to `memory` (by value of the graph).
  void send(const CompiledGraph& graph, Stream& stream, std::span<const TensorView> inputs,
            std::span<std::byte* const> memory);
  /// Queues the way of the outputs here; `outputs` say how long they are.
  void fetch(const CompiledGraph& graph, Stream& stream, std::span<std::byte* const> memory,
             std::span<const MutableTensorView> outputs);
  /// Copies what was fetched to where it belongs; after Stream::synchronize().
  void deliver(std::span<const MutableTensorView> outputs) const;

 private:
  StagingBuffer buffer_;
  std::byte* outputs_ = nullptr;  // where they begin
};

}  // namespace inferometer
