#include "delay_model_bindings.h"

#include <pybind11/stl.h>

#include "specs.h"

namespace py = pybind11;

namespace inferometer::python {

void bind_delay_model(py::module_& m) {
  py::class_<DelayModelObject, NativeModel>(
      m, "DelayModel", "A programmable cost; inferometer.DelayModel is its public face.")
      .def(py::init([](double seconds, double seconds_per_row,
                       const std::vector<SpecTuple>& inputs) {
             return std::make_unique<DelayModelObject>(seconds, seconds_per_row, to_specs(inputs));
           }),
           py::arg("seconds"), py::arg("seconds_per_row"), py::arg("inputs"))
      .def_property_readonly(
          "seconds", [](const DelayModelObject& self) { return self.model().seconds(); },
          "What every batch takes.")
      .def_property_readonly(
          "seconds_per_row",
          [](const DelayModelObject& self) { return self.model().seconds_per_row(); },
          "What every row of a batch takes on top.");
}

}  // namespace inferometer::python
