// Binds FamilyList and PythonFamilies.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "inferometer/registry.h"
#include "python_source.h"

namespace inferometer::python {

/// The families of a Python function in a registry's exposition, while they are shown. Neither
/// changed nor destroyed with the GIL held: that ends a thread which may want it. Single-owner.
class PythonFamilies {
 public:
  PythonFamilies(std::shared_ptr<Registry> registry, const pybind11::object& function);
  ~PythonFamilies() { show(false); }
  PythonFamilies(const PythonFamilies&) = delete;
  PythonFamilies& operator=(const PythonFamilies&) = delete;

  /// Hiding them ends the thread that collects if it is idle, else leaves it to end by itself.
  void show(bool shown);
  [[nodiscard]] bool shown() const noexcept { return shown_; }

 private:
  const std::shared_ptr<Registry> registry_;
  const std::shared_ptr<PythonSource> source_;
  bool shown_ = false;
};

void bind_python_source(pybind11::module_& m);

}  // namespace inferometer::python
