#include "inferometer/engine.h"

#include <utility>

#include "serving/engine_core.h"
#include "serving/engine_stats.h"

namespace inferometer {

Engine::Engine(std::shared_ptr<Executable> model, EngineOptions options)
    : Engine(std::vector{std::move(model)}, std::move(options)) {}

Engine::Engine(std::vector<std::shared_ptr<Executable>> instances, EngineOptions options)
    : core_(std::make_shared<EngineCore>(std::move(instances), std::move(options))) {
  core_->start();
}

Engine::~Engine() {
  if (core_->forked()) {
    // The child has no worker to join and may not take locks that a thread of the parent held: the
    // copy of the core is left alone.
    [[maybe_unused]] auto* const abandoned =
        std::make_unique<std::shared_ptr<EngineCore>>(std::move(core_)).release();
    return;
  }
  core_->close(5 * kNanosPerSecond);
}

std::shared_ptr<Request> Engine::submit(std::span<const NamedInput> inputs,
                                        const SubmitOptions& options) {
  return core_->submit(inputs, options);
}

std::shared_ptr<Request> Engine::submit_object(std::shared_ptr<void> object,
                                               const SubmitOptions& options) {
  return core_->submit_object(std::move(object), options);
}

EndedCall Engine::try_run_here(std::span<const NamedInput> inputs, AnswerSink& answer,
                               const SubmitOptions& options) {
  return core_->try_run_here(inputs, answer, options);
}

void Engine::lead(const std::shared_ptr<Request>& caller) { core_->lead(*caller); }
void Engine::leave_to_worker() noexcept { core_->leave_to_worker(); }

FlushStatus Engine::flush(const CompletionQueue& here, std::vector<std::shared_ptr<Request>>& ended,
                          int64_t budget_ns) {
  return core_->flush(here, ended, budget_ns);
}

void Engine::check(std::span<const NamedInput> inputs) const { core_->check(inputs); }
void Engine::count_invalid() noexcept { core_->count_invalid(); }

bool Engine::cancel(const std::shared_ptr<Request>& request, bool even_running) {
  return core_->cancel(*request, even_running);
}

bool Engine::drain(int64_t timeout_ns) { return core_->drain(timeout_ns); }
bool Engine::close(int64_t grace_ns) { return core_->close(grace_ns); }
bool Engine::closed() const noexcept { return core_->closed(); }
bool Engine::ready() const noexcept { return core_->ready(); }
bool Engine::forked() const noexcept { return core_->forked(); }
bool Engine::on_worker_thread() const noexcept { return core_->on_worker_thread(); }
EngineStats Engine::stats() const { return core_->stats(); }
const std::string& Engine::name() const noexcept { return core_->options().name; }
const std::string& Engine::version() const noexcept { return core_->options().version; }
Batching Engine::batching() const { return core_->batching(); }
int64_t Engine::max_batch_size() const noexcept { return core_->max_batch_size(); }
size_t Engine::instances() const noexcept { return core_->instances(); }
void Engine::reconfigure(const Batching& batching) { core_->reconfigure(batching); }
void Engine::swap(std::vector<std::shared_ptr<Executable>> instances) {
  core_->swap(std::move(instances));
}
std::vector<TensorSpec> Engine::inputs() const { return core_->inputs(); }
std::vector<TensorSpec> Engine::outputs() const { return core_->outputs(); }

}  // namespace inferometer
