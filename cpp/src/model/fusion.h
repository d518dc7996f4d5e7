// Merging operations of a graph where that saves a pass over memory.
#pragma once

#include "model/graph.h"

namespace inferometer {

/// Folds BatchNormalization into the convolution before it, constant additions into the bias of a
/// convolution or matrix product, the addition of a shortcut into a convolution, and Relu into
/// whatever computes its input. Answers change by rounding only.
void fuse(Graph& graph);

}  // namespace inferometer
