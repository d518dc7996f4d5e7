#include "serving/warm_up.h"

#include <string>
#include <vector>

#include "inferometer/clock.h"
#include "inferometer/errors.h"
#include "serving/lone_batch.h"

namespace inferometer {
namespace {

// Keeps answers until they are thrown away.
class Discarded final : public AnswerSink {
 public:
  MutableTensorView output(size_t /*index*/, DType dtype, const Shape& shape) override {
    outputs_.emplace_back(dtype, shape);
    return outputs_.back().mutable_view();
  }

 private:
  std::vector<Tensor> outputs_;
};

void run(LoadedModel& model, size_t instance, const InputCheck& check,
         std::span<const TensorView> inputs) {
  // The model may keep its inputs for longer than the sample lives.
  const auto pool = BufferPool::create(0);
  const int64_t rows = inputs.front().shape[0];
  auto copy = std::make_shared<Segment>(*pool, inputs, rows);
  copy->fill(0, inputs);
  Discarded answer;
  LoneBatch batch(inputs, check.specs(), answer, steady_clock(), std::move(copy));
  model.executable(instance).run(batch);
  check_all_outputs(batch.outputs(), rows, model.outputs());
  if (model.outputs().empty()) model.learn_outputs(specs_implied_by(batch.outputs()));
}

}  // namespace

std::vector<NamedInput> inputs_of(const WarmupSample& sample) {
  std::vector<NamedInput> inputs;
  inputs.reserve(sample.size());
  for (const auto& [name, tensor] : sample) inputs.push_back({name, tensor.view()});
  return inputs;
}

void warm_up(LoadedModel& model, const InputCheck& check, std::span<const WarmupSample> samples,
             int64_t max_rows) {
  for (size_t i = 0; i < samples.size(); ++i) {
    const std::string name = "warm-up sample " + std::to_string(i) + ": ";
    try {
      const InputCheck::Ordered ordered = check.in_order(inputs_of(samples[i]), max_rows);
      for (size_t instance = 0; instance < model.instances(); ++instance) {
        run(model, instance, check, ordered);
      }
    } catch (const InputError& error) {
      throw InputError(name + error.what());
    } catch (const ShapeError& error) {
      throw ShapeError(name + error.what());
    } catch (const DTypeError& error) {
      throw DTypeError(name + error.what());
    } catch (const std::exception& error) {
      throw WarmUpError(name + "failed: ", error);
    }
  }
}

}  // namespace inferometer
