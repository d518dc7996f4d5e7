#include "listener_bindings.h"

#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>

#include "gil.h"
#include "listener_object.h"

namespace py = pybind11;

namespace inferometer::python {

void bind_listener(py::module_& m) {
  // Never destroyed with the GIL held: the rendering that is waited for may want it.
  py::class_<ListenerObject>(m, "MetricsListener", "Serves a registry over HTTP, natively.",
                             py::release_gil_before_calling_cpp_dtor())
      .def(py::init([](const std::shared_ptr<Registry>& registry, const std::string& host,
                       int port) {
             std::unique_ptr<ListenerObject> made;
             without_gil([&] { made = std::make_unique<ListenerObject>(registry, host, port); });
             return made;
           }),
           py::arg("registry").none(false), py::arg("host"), py::arg("port"))
      .def(
          "close", [](ListenerObject& self) { without_gil([&] { self.close(); }); },
          "Ends it and its connections.")
      .def(
          "next_errors",
          [](ListenerObject& self) {
            std::optional<ErrorBox::Errors> errors;
            without_gil([&] { errors = self.next_errors(); });
            return errors;
          },
          "Waits for errors: the newest, and how many since the last call. None once closed.")
      .def_property_readonly(
          "closed", [](const ListenerObject& self) { return self.listener().closed(); },
          "Whether it is closed.")
      .def_property_readonly(
          "host", [](const ListenerObject& self) { return self.listener().host(); }, "As given.")
      .def_property_readonly(
          "is_loopback", [](const ListenerObject& self) { return self.listener().is_loopback(); },
          "Whether only this machine can reach it.")
      .def_property_readonly(
          "port", [](const ListenerObject& self) { return self.listener().port(); },
          "The port that was bound.")
      .def_property_readonly(
          "url", [](const ListenerObject& self) { return self.listener().url(); },
          "Where the metrics are.");
}

}  // namespace inferometer::python
