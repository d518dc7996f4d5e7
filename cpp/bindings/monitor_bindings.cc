#include "monitor_bindings.h"

#include <pybind11/stl/filesystem.h>

#include <filesystem>

#include "inferometer/monitors.h"
#include "inferometer/registry.h"

namespace py = pybind11;

namespace inferometer::python {

void bind_monitors(py::module_& m) {
  m.def(
      "attach_monitors",
      [](Registry& registry, bool gpu, bool host, bool process, const std::filesystem::path& proc,
         const std::filesystem::path& nvml_library) {
        MonitorOptions options;
        options.gpu = gpu;
        options.host = host;
        options.process = process;
        options.proc = proc.string();
        options.nvml_library = nvml_library.string();
        attach_monitors(registry, options);
      },
      py::arg("registry"), py::kw_only(), py::arg("gpu") = true, py::arg("host") = true,
      py::arg("process") = true, py::arg("proc") = "/proc", py::arg("nvml_library") = "",
      "Gives a registry the families of GPUs, machine and process. One that it has is left alone.");
}

}  // namespace inferometer::python
