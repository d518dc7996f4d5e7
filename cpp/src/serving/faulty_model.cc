#include "inferometer/faulty_model.h"

#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

std::string ratio_text(double ratio) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", ratio);
  return text;
}

}  // namespace

FaultyModel::FaultyModel(std::shared_ptr<Executable> model, std::shared_ptr<Faults> faults)
    : model_(std::move(model)), faults_(std::move(faults)) {
  if (!model_) throw ConfigError("model: got null, want a model");
  if (!faults_) throw ConfigError("faults: got null, want Faults");
}

bool FaultyModel::may_block() const noexcept { return faults_->may_hold() || model_->may_block(); }

void FaultyModel::run(Batch& batch) {
  if (faults_->quiet()) {
    model_->run(batch);
    return;
  }
  const BatchFaults faults = faults_->begin_batch(batch.requests());
  if ((faults.stalled || faults.delay_ns > 0) && !hold(faults)) {
    throw InjectedFaultError("injected fault: held until the engine was closed");
  }
  if (faults.error_ratio) {
    throw InjectedFaultError("injected fault: an error of the whole batch (ratio " +
                             ratio_text(*faults.error_ratio) + ")");
  }
  model_->run(batch);
  for (const auto& [request, ratio] : faults.failed) {
    batch.fail(request,
               std::make_exception_ptr(InjectedFaultError(
                   "injected fault: an error of this request (ratio " + ratio_text(ratio) + ")")));
  }
}

void FaultyModel::interrupt() noexcept {
  interrupted_ = true;
  faults_->wake();
  model_->interrupt();
}

bool FaultyModel::hold(const BatchFaults& batch) { return faults_->hold(batch, interrupted_); }

}  // namespace inferometer
