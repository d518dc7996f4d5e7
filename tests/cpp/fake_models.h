// Models that tests of the serving layer can hold, release, break and look into, and the requests
// that go with them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "inferometer/engine.h"
#include "inferometer/errors.h"
#include "inferometer/executable.h"

namespace inferometer {

/// One input: rows of four floats, rows of any number.
inline const std::vector<TensorSpec> kFour = {{"x", DType::kFloat32, Shape({-1, 4})}};
inline const std::vector<TensorSpec> kAnyWidth = {{"x", DType::kFloat32, Shape({-1, -1})}};

/// The rows of one request: `rows` rows of `width` floats; row r starts with id + r, so that an
/// answer tells whose it is. Owns the rows; const-safe.
class Rows {
 public:
  explicit Rows(int id, int64_t rows = 1, int64_t width = 4) : shape_({rows, width}) {
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < width; ++column) {
        values_.push_back(static_cast<float>(id + row) + 0.125F * static_cast<float>(column));
      }
    }
  }

  [[nodiscard]] TensorView view() const {
    return {DType::kFloat32, shape_, reinterpret_cast<const std::byte*>(values_.data())};
  }
  [[nodiscard]] std::array<NamedInput, 1> inputs() const { return {{{"", view()}}}; }
  /// True if `request` succeeded with twice these rows.
  [[nodiscard]] bool doubled_by(const Request& request) const {
    if (!request.ended() || request.outcome() != Outcome::kSuccess) return false;
    const std::vector<TensorView> outputs = request.outputs();
    return outputs.size() == 1 && doubled_in(outputs[0]);
  }
  /// True if `answer` is twice these rows.
  [[nodiscard]] bool doubled_in(const TensorView& answer) const {
    return answer.shape == shape_ &&
           std::ranges::equal(answer.as<float>(), values_,
                              [](float got, float sent) { return got == 2 * sent; });
  }

 private:
  Shape shape_;
  std::vector<float> values_;
};

/// Answers 2 * x for each input (float32). Without specs the first request fixes them.
/// Const-safe.
class EchoModel : public Executable {
 public:
  explicit EchoModel(std::vector<TensorSpec> inputs = {}) : inputs_(std::move(inputs)) {}

  [[nodiscard]] const std::vector<TensorSpec>& inputs() const noexcept override { return inputs_; }
  [[nodiscard]] const std::vector<TensorSpec>& outputs() const noexcept override {
    return outputs_;
  }
  void run(Batch& batch) override { echo(batch); }

 protected:
  static void echo(Batch& batch) {
    for (size_t i = 0; i < batch.inputs().size(); ++i) {
      const TensorView& in = batch.inputs()[i];
      const MutableTensorView out = batch.allocate_output(i, DType::kFloat32, in.shape);
      std::ranges::transform(in.as<float>(), out.as<float>().begin(),
                             [](float x) { return 2 * x; });
    }
  }

 private:
  const std::vector<TensorSpec> inputs_;
  const std::vector<TensorSpec> outputs_;
};

/// Runs `script` for each batch, then answers like EchoModel if the script says so (true). The
/// script may throw.
class ScriptedModel final : public EchoModel {
 public:
  using Script = std::function<bool(Batch&)>;

  explicit ScriptedModel(Script script) : script_(std::move(script)) {}
  void run(Batch& batch) override {
    if (script_(batch)) echo(batch);
  }

 private:
  const Script script_;
};

/// Runs `script` for each batch of four floats a row, then answers like EchoModel. Its traits say
/// who may run it. Const-safe, if the script is.
class TraitModel final : public EchoModel {
 public:
  struct Traits {
    bool keeps_inputs = false;
    bool needs_interpreter = false;
    bool may_block = false;
  };

  explicit TraitModel(Traits traits, std::function<void(Batch&)> script = {})
      : EchoModel(kFour), traits_(traits), script_(std::move(script)) {}
  [[nodiscard]] bool keeps_inputs() const noexcept override { return traits_.keeps_inputs; }
  [[nodiscard]] bool needs_interpreter() const noexcept override {
    return traits_.needs_interpreter;
  }
  [[nodiscard]] bool may_block() const noexcept override { return traits_.may_block; }
  void run(Batch& batch) override {
    if (script_) script_(batch);
    echo(batch);
  }

 private:
  const Traits traits_;
  const std::function<void(Batch&)> script_;
};

/// What a GatedModel was given in one run.
struct SeenBatch {
  int64_t rows = 0;
  size_t requests = 0;
  Shape shape;
  std::vector<float> ids;           // first element of each row
  const std::byte* data = nullptr;  // where the rows lay
};

/// Answers like EchoModel, but each run first waits for a permit and tells that it is there.
/// Whoever makes one opens it before the test ends, or its engine's worker stays behind.
/// Thread-safe.
class GatedModel final : public EchoModel {
 public:
  using EchoModel::EchoModel;

  void run(Batch& batch) override {
    {
      MutexLock lock(mutex_);
      seen_.push_back(describe(batch));
      changed_.notify_all();
      while (!open_ && permits_ == 0) changed_.wait(mutex_);
      if (!open_) --permits_;
    }
    echo(batch);
  }

  /// Sleeps until run() has been entered `count` times in all.
  void await_runs(size_t count) {
    MutexLock lock(mutex_);
    while (seen_.size() < count) changed_.wait(mutex_);
  }
  /// Lets `count` runs return.
  void release(int count = 1) {
    MutexLock lock(mutex_);
    permits_ += count;
    changed_.notify_all();
  }
  /// Lets all runs return, from now on.
  void open() {
    MutexLock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  [[nodiscard]] std::vector<SeenBatch> seen() const {
    MutexLock lock(mutex_);
    return seen_;
  }

 private:
  static SeenBatch describe(Batch& batch) {
    SeenBatch seen{batch.rows(), batch.requests(), {}, {}, nullptr};
    if (batch.inputs().empty()) return seen;
    const TensorView& in = batch.inputs()[0];
    seen.shape = in.shape;
    seen.data = in.data;
    const auto width = static_cast<size_t>(in.shape.tail(1).elements());
    for (size_t at = 0; at < in.as<float>().size(); at += width) {
      seen.ids.push_back(in.as<float>()[at]);
    }
    return seen;
  }

  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<SeenBatch> seen_ GUARDED_BY(mutex_);
  int permits_ GUARDED_BY(mutex_) = 0;
  bool open_ GUARDED_BY(mutex_) = false;
};

/// Breaks one clause of Executable's contract in every batch. Const-safe.
class BrokenModel final : public EchoModel {
 public:
  enum class Breach : uint8_t { kRows, kNoOutput, kScalar, kOutOfOrder, kObjects };

  explicit BrokenModel(Breach breach) : breach_(breach) {}
  void run(Batch& batch) override {
    switch (breach_) {
      case Breach::kRows:
        batch.allocate_output(0, DType::kFloat32, Shape({batch.rows() + 1, 4}));
        return;
      case Breach::kNoOutput:
        return;
      case Breach::kScalar:
        batch.allocate_output(0, DType::kFloat32, Shape());
        return;
      case Breach::kOutOfOrder:
        batch.allocate_output(1, DType::kFloat32, Shape({batch.rows()}));
        return;
      case Breach::kObjects:
        batch.set_result_object(0, std::make_shared<int>(0));
        return;
    }
  }

 private:
  const Breach breach_;
};

/// Answers like EchoModel and keeps every batch's input memory until told to let go. Thread-safe.
class KeepingModel final : public EchoModel {
 public:
  struct Kept {
    std::shared_ptr<const void> owner;
    TensorView view;
    std::vector<float> copy;  // what the view showed during run()
  };

  void run(Batch& batch) override {
    echo(batch);
    const TensorView& in = batch.inputs()[0];
    MutexLock lock(mutex_);
    kept_.push_back({batch.input_owner(), in, {in.as<float>().begin(), in.as<float>().end()}});
  }
  /// All that was kept; nothing is kept any more.
  [[nodiscard]] std::vector<Kept> take() {
    MutexLock lock(mutex_);
    return std::exchange(kept_, {});
  }

 private:
  Mutex mutex_;
  std::vector<Kept> kept_ GUARDED_BY(mutex_);
};

/// Takes requests that carry an object and answers each with its own object again. Throws what
/// `failure` holds, if it holds something. Const-safe.
class ObjectModel final : public EchoModel {
 public:
  explicit ObjectModel(std::exception_ptr failure = nullptr) : failure_(std::move(failure)) {}
  void run(Batch& batch) override {
    if (failure_) std::rethrow_exception(failure_);
    for (size_t i = 0; i < batch.requests(); ++i) batch.set_result_object(i, batch.object(i));
  }

 private:
  const std::exception_ptr failure_;
};

}  // namespace inferometer
