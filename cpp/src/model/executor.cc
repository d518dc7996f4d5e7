#include "model/executor.h"

#include <string>
#include <type_traits>

#include "inferometer/clock.h"
#include "inferometer/errors.h"

namespace inferometer {

Executor::Executor(std::shared_ptr<const CompiledGraph> compiled, int64_t reserve_rows,
                   int64_t load_ns)
    : compiled_(std::move(compiled)),
      load_ns_(load_ns),
      staged_(!compiled_->backend()->uses_host_memory()),
      memory_(compiled_->constants()),
      stream_(compiled_->backend()->make_stream()) {
  results_.resize(compiled_->outputs().size());
  if (reserve_rows > 0) reserve(reserve_rows);
}

void Executor::check_inputs(const Batch& batch) const {
  const auto& specs = compiled_->inputs();
  const auto views = batch.inputs();
  if (views.size() != specs.size()) {
    throw InputError("got " + std::to_string(views.size()) + " inputs, want " +
                     std::to_string(specs.size()));
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (views[i].dtype != specs[i].dtype) {
      throw DTypeError("input \"" + specs[i].name + "\": got " +
                       std::string(dtype_name(views[i].dtype)) + ", want " +
                       std::string(dtype_name(specs[i].dtype)));
    }
    if (!specs[i].shape.accepts(views[i].shape) || views[i].shape[0] != batch.rows()) {
      throw ShapeError("input \"" + specs[i].name + "\": got shape " + views[i].shape.to_string() +
                       " for " + std::to_string(batch.rows()) + " rows, want " +
                       specs[i].shape.to_string());
    }
  }
}

void Executor::reserve(int64_t rows) {
  const auto bytes = static_cast<size_t>(compiled_->arena_bytes(rows));
  if (staged_) io_.reserve(*compiled_, rows);
  if (arena_.data() != nullptr && arena_.bytes() >= bytes) return;
  arena_ = DeviceBuffer();  // first: both at once might not fit
  arena_ = DeviceBuffer(compiled_->backend(), bytes);
}

/// Scales the plan to `rows` rows, which mostly are as many as last time.
void Executor::bind(int64_t rows) {
  if (rows == bound_rows_) return;
  bound_rows_ = 0;  // until there is memory
  reserve(rows);
  const MemoryPlan& plan = compiled_->plan();
  for (size_t i = 0; i < plan.offsets.size(); ++i) {
    if (plan.offsets[i] >= 0) memory_[i] = arena_.data() + plan.offsets[i] * rows;
  }
  workspace_ = arena_.data() + plan.bytes_per_row * rows;
  bound_rows_ = rows;
}

void Executor::bind_outputs(Batch& batch) {
  for (size_t i = 0; i < results_.size(); ++i) {
    const TensorSpec& spec = compiled_->outputs()[i];
    Shape shape = spec.shape;
    shape.set(0, batch.rows());
    results_[i] = batch.allocate_output(i, spec.dtype, shape);
  }
}

void Executor::run(Batch& batch) {
  check_inputs(batch);
  const int64_t rows = batch.rows();
  if (rows == 0) return bind_outputs(batch);
  bind(rows);
  if (!staged_) return run_on_host(batch);
  try {
    run_staged(batch);
  } catch (...) {
    stream_->abandon();
    throw;
  }
}

void Executor::run_on_host(Batch& batch) {
  const Graph& graph = compiled_->graph();
  bind_outputs(batch);
  for (size_t i = 0; i < graph.inputs.size(); ++i) {
    memory_[static_cast<size_t>(graph.inputs[i])] = const_cast<std::byte*>(batch.inputs()[i].data);
  }
  for (size_t i = 0; i < graph.outputs.size(); ++i) {
    memory_[static_cast<size_t>(graph.outputs[i])] = results_[i].data;
  }
  run_ops(batch.rows());
}

void Executor::run_staged(Batch& batch) {
  stream_->begin(RunPart::kInput);
  io_.send(*compiled_, *stream_, batch.inputs(), memory_);
  stream_->begin(RunPart::kInfer);
  run_ops(batch.rows());
  stream_->begin(RunPart::kOutput);
  bind_outputs(batch);
  io_.fetch(*compiled_, *stream_, memory_, results_);
  stream_->end_run();
  stream_->synchronize();
  const int64_t fetched = steady_clock().now_ns();
  io_.deliver(results_);
  batch.copied(stream_->elapsed_ns(RunPart::kInput),
               stream_->elapsed_ns(RunPart::kOutput) + steady_clock().now_ns() - fetched);
}

void Executor::run_ops(int64_t rows) {
  for (const Op& op : compiled_->graph().ops) run_op(op, rows);
}

const float* Executor::read(const Op& op, size_t input) const {
  const ValueId id = op.inputs[input];
  if (id == kNoValue) return nullptr;
  return reinterpret_cast<const float*>(memory_[static_cast<size_t>(id)]);
}

void Executor::run_op(const Op& op, int64_t rows) {
  Stream& stream = *stream_;
  std::byte* const out = memory_[static_cast<size_t>(op.output)];
  auto* const y = reinterpret_cast<float*>(out);
  const float* const x = read(op, 0);
  std::visit(
      [&](const auto& operation) {
        using T = std::decay_t<decltype(operation)>;
        if constexpr (std::is_same_v<T, Conv2d>) {
          stream.conv2d(operation, rows, x, read(op, 1), read(op, 2), read(op, 3), y, workspace_);
        } else if constexpr (std::is_same_v<T, Pool2d>) {
          stream.pool2d(operation, rows, x, y);
        } else if constexpr (std::is_same_v<T, Gemm>) {
          stream.gemm(operation, rows, x, memory_[static_cast<size_t>(op.inputs[1])], read(op, 2),
                      y);
        } else if constexpr (std::is_same_v<T, MatMul>) {
          stream.matmul(operation, rows, x, read(op, 1), y);
        } else if constexpr (std::is_same_v<T, BroadcastAdd>) {
          stream.add(operation, rows, x, read(op, 1), y);
        } else if constexpr (std::is_same_v<T, Relu>) {
          stream.relu(rows * operation.elements, x, y);
        } else if constexpr (std::is_same_v<T, Softmax>) {
          stream.softmax(operation, rows, x, y);
        } else if constexpr (std::is_same_v<T, ReduceMean>) {
          stream.reduce_mean(operation, rows, x, y);
        } else if constexpr (std::is_same_v<T, ChannelAffine>) {
          stream.channel_affine(operation, rows, x, read(op, 1), read(op, 2), y);
        } else {
          static_assert(std::is_same_v<T, Copy>);
          stream.copy(out, memory_[static_cast<size_t>(op.inputs[0])],
                      static_cast<size_t>(rows * operation.bytes));
        }
      },
      op.operation);
}

}  // namespace inferometer
