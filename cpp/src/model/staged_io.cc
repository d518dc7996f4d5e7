#include "model/staged_io.h"

#include <cstring>

#include "model/memory_plan.h"

namespace inferometer {

int64_t StagedIo::bytes(const CompiledGraph& graph, int64_t rows) noexcept {
  int64_t sum = 0;
  for (const auto* ids : {&graph.graph().inputs, &graph.graph().outputs}) {
    for (const ValueId id : *ids) sum += aligned(graph.graph().bytes(id) * rows);
  }
  return sum;
}

void StagedIo::reserve(const CompiledGraph& graph, int64_t rows) {
  const auto bytes = static_cast<size_t>(StagedIo::bytes(graph, rows));
  if (buffer_.data() != nullptr && buffer_.bytes() >= bytes) return;
  buffer_ = StagingBuffer();  // first: both at once might not fit
  buffer_ = StagingBuffer(graph.backend(), bytes);
}

void StagedIo::send(const CompiledGraph& graph, Stream& stream, std::span<const TensorView> inputs,
                    std::span<std::byte* const> memory) {
  std::byte* place = buffer_.data();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const size_t bytes = inputs[i].bytes();
    std::memcpy(place, inputs[i].data, bytes);
    stream.copy_in(memory[static_cast<size_t>(graph.graph().inputs[i])], place, bytes);
    place += aligned(bytes);
  }
  outputs_ = place;
}

void StagedIo::fetch(const CompiledGraph& graph, Stream& stream, std::span<std::byte* const> memory,
                     std::span<const MutableTensorView> outputs) {
  std::byte* place = outputs_;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const size_t bytes = outputs[i].bytes();
    stream.copy_out(place, memory[static_cast<size_t>(graph.graph().outputs[i])], bytes);
    place += aligned(bytes);
  }
}

void StagedIo::deliver(std::span<const MutableTensorView> outputs) const {
  const std::byte* place = outputs_;
  for (const MutableTensorView& output : outputs) {
    std::memcpy(output.data, place, output.bytes());
    place += aligned(output.bytes());
  }
}

}  // namespace inferometer
