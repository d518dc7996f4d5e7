// EngineCore, changing: other rules, another model.
#include <algorithm>
#include <utility>

#include "inferometer/errors.h"
#include "serving/ending.h"
#include "serving/engine_core.h"
#include "serving/warm_up.h"

namespace inferometer {

void EngineCore::reconfigure(const Batching& batching) {
  refuse_in_child();
  std::shared_ptr<Request> leader;
  {
    MutexLock lock(mutex_);
    if (batching.padding.has_value() != options_.batching.padding.has_value()) {
      throw ConfigError("padding: got a change from with to without or back, want as it was made");
    }
    scheduler_.reconfigure(checked_for(*model_, batching));
    max_rows_.store(batching.max_batch_size, std::memory_order_relaxed);
    publish_model_memory_locked();
    queue_limit_.store(batching.max_queue_size, std::memory_order_relaxed);
    leader = hand_over_locked();
  }
  if (leader) Ending::wake_leader(*leader);
}

// NOLINTNEXTLINE(bugprone-exception-escape): it swaps models, and says no; std::swap is not meant
void EngineCore::swap(std::vector<std::shared_ptr<Executable>> instances) {
  refuse_in_child();
  auto model = std::make_shared<LoadedModel>(std::move(instances));
  if (model->instances() != instances_.size()) {
    throw ConfigError("swap: got " + std::to_string(model->instances()) + " instances, want " +
                      std::to_string(instances_.size()) + " as before");
  }
  const std::vector<TensorSpec>& inputs = model->executable(0).inputs();
  auto own_check = inputs.empty() ? nullptr : std::make_unique<const InputCheck>(inputs);
  if (const InputCheck* const known = input_check_.load(std::memory_order_acquire);
      known != nullptr && options_.warmup) {
    check_same_specs("input", inputs, known->specs());
    warm_up(*model, *known, *options_.warmup, max_rows_);
  }
  std::shared_ptr<Request> leader;
  {
    MutexLock lock(mutex_);
    if (owned_check_) check_same_specs("input", inputs, owned_check_->specs());
    (void)checked_for(*model, scheduler_.batching());
    model->take_the_place_of(*model_);
    if (!owned_check_ && own_check) {  // no request has fixed the inputs yet
      owned_check_ = std::move(own_check);
      input_check_.store(owned_check_.get(), std::memory_order_release);
    }
    retired_.push_back(std::exchange(model_, std::move(model)));
    any_retired_.store(true);
    publish_model_memory_locked();
    if (recorder_) recorder_->set_load_ns(model_->executable(0).load_ns());
    scheduler_.forget_idle_models();
    recover_instances_locked();
    leader = hand_over_locked();
  }
  if (leader) Ending::wake_leader(*leader);
  drop_retired_models();
}

// A model that was swapped out goes with the last request that was accepted for it; not under the
// lock, for it may take a Python model apart, which needs the GIL.
void EngineCore::drop_retired_models() {
  std::vector<std::shared_ptr<LoadedModel>> idle;
  MutexLock lock(mutex_);
  std::erase_if(retired_, [&](std::shared_ptr<LoadedModel>& model) REQUIRES(mutex_) {
    const auto calls_it = [&](const Instance& instance) {
      return instance.lone_model == model.get();
    };
    if (model.use_count() > 1 || std::ranges::any_of(instances_, calls_it)) return false;
    idle.push_back(std::move(model));
    return true;
  });
  any_retired_.store(!retired_.empty());
  lock.unlock();
}

}  // namespace inferometer
