#include "serving/loaded_model.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

// Weight of the newest batch in moving averages.
constexpr double kNewestWeight = 0.2;

void move_average(double& average, double newest) {
  average = average == 0 ? newest : average + kNewestWeight * (newest - average);
}

std::vector<std::shared_ptr<Executable>> checked(std::vector<std::shared_ptr<Executable>> given) {
  if (given.empty()) throw ConfigError("instances: got none, want one or more");
  for (const auto& executable : given) {
    if (!executable) throw ConfigError("model: got null, want a model");
    check_same_specs("input", executable->inputs(), given.front()->inputs());
    check_same_specs("output", executable->outputs(), given.front()->outputs());
  }
  return given;
}

std::string text_of(const TensorSpec& spec) {
  return "'" + spec.name + "' " + std::string(dtype_name(spec.dtype)) + " " +
         spec.shape.to_string();
}

bool agree(const TensorSpec& one, const TensorSpec& other, Agreement agreement) {
  if (one.dtype != other.dtype) return false;
  if (agreement == Agreement::kExact) return one.name == other.name && one.shape == other.shape;
  const auto alike = [](int64_t dim, int64_t other_dim) {
    return dim == other_dim || dim == Shape::kFree || other_dim == Shape::kFree;
  };
  return std::ranges::equal(one.shape.dims(), other.shape.dims(), alike);
}

}  // namespace

void check_same_specs(std::string_view what, std::span<const TensorSpec> got,
                      std::span<const TensorSpec> want, Agreement agreement) {
  if (got.empty() || want.empty()) return;
  if (got.size() != want.size()) {
    throw ConfigError("got a model with " + std::to_string(got.size()) + " " + std::string(what) +
                      "s, want " + std::to_string(want.size()) + " as before");
  }
  for (size_t i = 0; i < got.size(); ++i) {
    if (agree(got[i], want[i], agreement)) continue;
    throw ConfigError("got a model with " + std::string(what) + " " + text_of(got[i]) + ", want " +
                      text_of(want[i]) + " as before");
  }
}

Batching checked_for(const LoadedModel& model, Batching batching) {
  batching.check();
  const int64_t limit = model.executable(0).max_rows();
  if (limit > 0 && batching.max_batch_size > limit) {
    throw ConfigError("max_batch_size: got " + std::to_string(batching.max_batch_size) +
                      ", want at most " + std::to_string(limit) +
                      ": the model's batch dimension is fixed");
  }
  return batching;
}

LoadedModel::LoadedModel(std::vector<std::shared_ptr<Executable>> instances)
    : executables_(checked(std::move(instances))) {
  if (executables_.front()->outputs().empty()) return;
  learn_outputs(executables_.front()->outputs());
  outputs_declared_ = true;
}

LoadedModel::~LoadedModel() = default;

int64_t LoadedModel::weights_bytes() const {
  int64_t bytes = 0;
  std::set<const void*> counted;
  for (const auto& executable : executables_) {
    if (counted.insert(executable->weights()).second) bytes += executable->weights_bytes();
  }
  return bytes;
}

int64_t LoadedModel::activation_bytes(int64_t rows) const noexcept {
  int64_t bytes = 0;
  for (const auto& executable : executables_) bytes += executable->activation_bytes(rows);
  return bytes;
}

std::span<const TensorSpec> LoadedModel::outputs() const noexcept {
  const auto* const known = outputs_.load(std::memory_order_acquire);
  return known != nullptr ? std::span<const TensorSpec>(*known) : std::span<const TensorSpec>();
}

void LoadedModel::learn_outputs(std::vector<TensorSpec> outputs) {
  MutexLock lock(mutex_);
  if (owned_outputs_) return;
  owned_outputs_ = std::make_unique<const std::vector<TensorSpec>>(std::move(outputs));
  outputs_.store(owned_outputs_.get(), std::memory_order_release);
}

void LoadedModel::learn_cost(int64_t batch_ns, int64_t requests) noexcept {
  const auto newest = static_cast<double>(batch_ns);
  move_average(batch_ns_, newest);
  move_average(request_ns_, newest / static_cast<double>(requests));
}

void LoadedModel::take_the_place_of(const LoadedModel& before) {
  const bool both = outputs_declared_ && before.outputs_declared_;
  check_same_specs("output", outputs(), before.outputs(),
                   both ? Agreement::kExact : Agreement::kAsAnswered);
  if (outputs_declared_ || !before.outputs_declared_) return;
  const auto declared = before.outputs();
  MutexLock lock(mutex_);
  owned_outputs_ =
      std::make_unique<const std::vector<TensorSpec>>(declared.begin(), declared.end());
  outputs_.store(owned_outputs_.get(), std::memory_order_release);
  outputs_declared_ = true;
}

}  // namespace inferometer
