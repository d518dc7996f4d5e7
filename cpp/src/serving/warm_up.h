// Samples that a model runs before it serves.
#pragma once

#include <span>

#include "inferometer/engine.h"
#include "serving/input_check.h"
#include "serving/loaded_model.h"

namespace inferometer {

/// Runs every sample on every instance of `model`, on this thread. Throws what the check of a
/// request throws, or WarmUpError with what the model threw, each naming the sample.
void warm_up(LoadedModel& model, const InputCheck& check, std::span<const WarmupSample> samples,
             int64_t max_rows);

/// The inputs of a sample as a request gives them; they are those of `sample`.
[[nodiscard]] std::vector<NamedInput> inputs_of(const WarmupSample& sample);

}  // namespace inferometer
