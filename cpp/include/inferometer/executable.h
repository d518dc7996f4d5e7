// The seam between the engine and whatever computes: a native graph, a Python callable, a fake.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "inferometer/tensor.h"

namespace inferometer {

/// One batch during Executable::run(). The engine implements it. Used by one thread at a time.
class Batch {
 public:
  virtual ~Batch() = default;

  [[nodiscard]] virtual int64_t rows() const noexcept = 0;
  /// One view per input, in the order of the engine's input specs, shape (rows, ...), contiguous
  /// and aligned to the element size only (a batch may start in the middle of a buffer). Valid
  /// until run() returns, or for as long as input_owner() is held.
  [[nodiscard]] virtual std::span<const TensorView> inputs() const noexcept = 0;
  /// What the inputs are called, in the same order. An empty name: a single input, fixed by a first
  /// request that gave it none.
  [[nodiscard]] virtual std::span<const TensorSpec> input_specs() const noexcept { return {}; }
  /// Keeps the memory of inputs() alive and unchanged beyond run(): the buffer is recycled only
  /// when the last owner lets go. Null where that is not possible (never for a model that
  /// keeps_inputs()): copy what is to be kept.
  [[nodiscard]] virtual std::shared_ptr<const void> input_owner() const = 0;

  /// Memory for output `index`, to be filled before run() returns; uninitialised. `shape[0]` must
  /// be rows() by the end of run(): the engine checks and fails the batch with a ModelError that
  /// names both numbers. Indices are filled 0, 1, 2, ... each once.
  virtual MutableTensorView allocate_output(size_t index, DType dtype, const Shape& shape) = 0;

  /// From here on run() only copies its answers out; that is timed apart from the computing. For
  /// models that do copy; said once, if at all.
  virtual void computed() noexcept {}
  /// Of run(), so much went into bringing the inputs to a device and so much into bringing the
  /// answers back; that is timed apart from the computing. For models that measure it; said once,
  /// at the end.
  virtual void copied(int64_t /*input_ns*/, int64_t /*output_ns*/) noexcept {}

  /// Opaque rows (requests that carry an object instead of tensors): request i's object, null if it
  /// has none; and where its answer goes.
  [[nodiscard]] virtual size_t requests() const noexcept = 0;
  [[nodiscard]] virtual const std::shared_ptr<void>& object(size_t request) const noexcept = 0;
  virtual void set_result_object(size_t request, std::shared_ptr<void> result) = 0;

  /// Fails one request, where run() can tell them apart; the others of the batch succeed. Its rows
  /// of the outputs are there like all others, and nobody looks at them; as an object it needs no
  /// answer. A batch that is one request, or cannot tell, fails as a whole: the default.
  virtual void fail(size_t /*request*/, std::exception_ptr error) {
    std::rethrow_exception(std::move(error));
  }
};

/// A model that runs batches. run() is called by one thread at a time per instance, not always the
/// same; the other methods are const-safe.
class Executable {
 public:
  virtual ~Executable() = default;
  /// Specs of the inputs, rows first. Empty: fixed by the engine's first request.
  [[nodiscard]] virtual const std::vector<TensorSpec>& inputs() const noexcept = 0;
  /// Specs of the outputs; empty where they are known only from an answer.
  [[nodiscard]] virtual const std::vector<TensorSpec>& outputs() const noexcept = 0;
  /// Rows that one run can take, 0 for any number. A model with a batch dimension fixed to 1
  /// says 1.
  [[nodiscard]] virtual int64_t max_rows() const noexcept { return 0; }
  /// Bytes of weights and of working memory for `rows` rows, for inferometer_model_memory_bytes.
  [[nodiscard]] virtual int64_t weights_bytes() const noexcept { return 0; }
  [[nodiscard]] virtual int64_t activation_bytes(int64_t /*rows*/) const noexcept { return 0; }
  /// What tells weights apart: instances that share theirs say the same. Null: all share them.
  [[nodiscard]] virtual const void* weights() const noexcept { return nullptr; }
  /// What it took to load and compile, for nv_model_load_duration_secs.
  [[nodiscard]] virtual int64_t load_ns() const noexcept { return 0; }
  /// It needs Batch::input_owner(). A model that does not is handed the memory of a lone caller as
  /// it is, without a copy and without an owner.
  [[nodiscard]] virtual bool keeps_inputs() const noexcept { return true; }
  /// It runs under a lock that its callers need as well (a Python interpreter's). Under contention
  /// such a model is run by one worker that takes the lock once a batch; a caller that led a batch
  /// would have to get it back from all the others first (measured: 16 to 31 ms of leading).
  [[nodiscard]] virtual bool needs_interpreter() const noexcept { return false; }
  /// Computes the outputs. Whatever it throws fails the requests of this batch and no others.
  virtual void run(Batch& batch) = 0;
  /// True while a run may sleep for reasons of its own (an injected stall, say) and so belongs on a
  /// worker, not on a caller's or an event loop's thread. May change at any time; asked often.
  [[nodiscard]] virtual bool may_block() const noexcept { return false; }
  /// False once run() will fail whatever it is given (a device that is lost), until the model is
  /// swapped for one that is healthy. Asked after a run that failed.
  [[nodiscard]] virtual bool healthy() const noexcept { return true; }
  /// The engine is being closed and has no use for answers any more: a run that only sleeps returns
  /// or throws, now and from now on. Called by any thread, also while run() is under way.
  virtual void interrupt() noexcept {}
};

}  // namespace inferometer
