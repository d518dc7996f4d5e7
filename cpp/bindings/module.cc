// inferometer._core: one bind_* call for each concept.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "catalogue_bindings.h"
#include "delay_model_bindings.h"
#include "engine_bindings.h"
#include "engine_object.h"
#include "errors.h"
#include "faults_bindings.h"
#include "history_bindings.h"
#include "inferometer/registry.h"
#include "inferometer/request.h"
#include "listener_bindings.h"
#include "listener_object.h"
#include "loop_object.h"
#include "model_bindings.h"
#include "monitor_bindings.h"
#include "prometheus_cells.h"
#include "python_source_bindings.h"
#include "registry_bindings.h"
#include "simulation_bindings.h"
#include "uninitialised.h"

PYBIND11_MODULE(_core, m) {
  namespace python = inferometer::python;
  m.doc() = "The native core of inferometer.";
  m.attr("__version__") = INFEROMETER_VERSION;
  // pybind11 looks numpy up at its first use, once, under a lock: do it here, where no finaliser
  // that the garbage collector runs meanwhile can come back to us and wait for itself.
  (void)pybind11::detail::npy_api::get();
  python::bind_errors(m);
  python::bind_registry(m);
  python::bind_catalogue(m);
  python::bind_monitors(m);
  python::bind_history(m);
  python::bind_model(m);
  python::bind_delay_model(m);
  python::bind_faults(m);
  python::bind_request(m);
  python::bind_completions(m);
  python::bind_engine(m);
  python::bind_simulation(m);
  python::bind_listener(m);
  python::bind_prometheus_cells(m);
  python::bind_python_source(m);
  python::refuse_uninitialised<inferometer::Registry, inferometer::Timing, python::RequestObject,
                               python::EngineObject, python::NativeModel, python::ModelObject,
                               python::DelayModelObject, inferometer::Faults,
                               python::SimulationObject, python::LoopObject, python::ListenerObject,
                               python::FamilyList, python::PythonFamilies>();
}
