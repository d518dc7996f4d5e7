// inferometer's C++ interface: a table of contents, in reading order.
//
//   errors.h            what can go wrong, one class each
//   clock.h             time, injectable
//   dtype.h  shape.h    element types, dimensions
//   tensor.h            memory with a type and a shape; specs of inputs
//   history.h           the near past of the metrics
//   registry.h          metrics: the registry, and the application's own
//   monitors.h          metrics of the machine and the process
//   metrics_listener.h  metrics over HTTP
//   devices.h           what native models can run on
//   executable.h        the seam: what an engine can run
//   model.h             native models from ONNX graphs
//   delay_model.h       a model with a programmable cost
//   faults.h            faults to inject, and when
//   faulty_model.h      a model with injected faults
//   batching.h          how requests are gathered
//   request.h           what a caller waits on
//   completion_queue.h  how an event loop waits for many
//   engine.h            the engine
//   simulation.h        the engine's batching on a clock of its own
#pragma once

#include "inferometer/batching.h"
#include "inferometer/clock.h"
#include "inferometer/completion_queue.h"
#include "inferometer/delay_model.h"
#include "inferometer/devices.h"
#include "inferometer/dtype.h"
#include "inferometer/engine.h"
#include "inferometer/errors.h"
#include "inferometer/executable.h"
#include "inferometer/faults.h"
#include "inferometer/faulty_model.h"
#include "inferometer/history.h"
#include "inferometer/metrics_listener.h"
#include "inferometer/model.h"
#include "inferometer/monitors.h"
#include "inferometer/registry.h"
#include "inferometer/request.h"
#include "inferometer/shape.h"
#include "inferometer/simulation.h"
#include "inferometer/tensor.h"
