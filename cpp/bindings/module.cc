// inferometer._core: one bind_* call for each concept.
#include <pybind11/pybind11.h>

#include "engine_bindings.h"
#include "errors.h"
#include "model_bindings.h"
#include "registry_bindings.h"

PYBIND11_MODULE(_core, m) {
  using namespace inferometer::python;
  m.doc() = "The native core of inferometer.";
  m.attr("__version__") = INFEROMETER_VERSION;
  bind_errors(m);
  bind_registry(m);
  bind_model(m);
  bind_request(m);
  bind_completions(m);
  bind_engine(m);
}
