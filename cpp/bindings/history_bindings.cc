#include "history_bindings.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "gil.h"
#include "inferometer/history.h"
#include "inferometer/registry.h"
#include "text_arguments.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

using Array = py::array_t<double>;

// Registries whose histories were started. Their threads must have ended before the process takes
// itself apart, also those of registries that the interpreter never frees. Thread-safe.
class Started {
 public:
  void add(const std::shared_ptr<Registry>& registry) {
    MutexLock lock(mutex_);
    std::erase_if(registries_, [&](const std::weak_ptr<Registry>& held) {
      const auto other = held.lock();
      return other == nullptr || other == registry;
    });
    registries_.push_back(registry);
  }
  void stop_all() {
    std::vector<std::weak_ptr<Registry>> registries;
    {
      MutexLock lock(mutex_);
      registries.swap(registries_);
    }
    for (const auto& held : registries) {
      if (const auto registry = held.lock()) registry->stop_history();
    }
  }

 private:
  // Taken and given back with the GIL held, or at exit, so os.fork() finds it free.
  Mutex mutex_;
  std::vector<std::weak_ptr<Registry>> registries_ GUARDED_BY(mutex_);
};

Started& started() {
  static auto* const instance = new Started();  // never destroyed: threads may outlive statics
  return *instance;
}

void start_history(const std::shared_ptr<Registry>& self, double seconds, double interval,
                   int64_t max_bytes) {
  started().add(self);
  without_gil([&] {
    self->start_history({.seconds = seconds, .interval_seconds = interval, .max_bytes = max_bytes});
  });
}

Array array_of(std::vector<py::ssize_t> shape, const std::vector<double>& values) {
  return Array(std::move(shape), values.data());
}

py::typing::Tuple<Array, Array> history(const Registry& self, const py::str& name,
                                        const LabelsArgument& labels,
                                        std::optional<double> seconds) {
  const std::string sample(utf8(name, "sample name"));
  const Registry::LabelSet wanted = label_set_of(labels);
  HistoryCurve curve;
  without_gil([&] {
    curve = self.history(sample, wanted, seconds.value_or(std::numeric_limits<double>::infinity()));
  });
  std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(curve.times.size())};
  const Array times = array_of(shape, curve.times);
  if (curve.columns > 1) shape.push_back(static_cast<py::ssize_t>(curve.columns));
  return py::make_tuple(times, array_of(std::move(shape), curve.values));
}

std::vector<Registry::LabelSet> history_series(const Registry& self, const py::str& name) {
  const std::string sample(utf8(name, "sample name"));
  std::vector<Registry::LabelSet> series;
  without_gil([&] { series = self.history_series(sample); });
  return series;
}

std::optional<py::dict> history_stats(const Registry& self) {
  std::optional<HistoryStats> stats;
  without_gil([&] { stats = self.history_stats(); });
  if (!stats) return std::nullopt;
  py::dict result;
  result["seconds"] = stats->options.seconds;
  result["interval"] = stats->options.interval_seconds;
  result["max_bytes"] = stats->options.max_bytes;
  result["samples"] = stats->samples;
  result["series"] = stats->series;
  result["left_out"] = stats->left_out;
  result["lost"] = stats->lost;
  result["bytes"] = stats->bytes;
  return result;
}

}  // namespace

void bind_history(py::module_& m) {
  const HistoryOptions defaults;
  py::class_<Registry, std::shared_ptr<Registry>>(m.attr("Registry"))
      .def(
          "start_history", &start_history, py::arg("seconds") = defaults.seconds,
          py::arg("interval") = defaults.interval_seconds,
          py::arg("max_bytes") = defaults.max_bytes,
          "Keeps the last `seconds` of the catalogue's series, a sample every `interval` seconds,\n"
          "in at most `max_bytes` of memory. Nothing happens if it runs with these options "
          "already.")
      .def(
          "stop_history", [](Registry& self) { without_gil([&] { self.stop_history(); }); },
          "Ends the history and forgets its samples.")
      .def(
          "sample_history", [](Registry& self) { without_gil([&] { self.sample_history(); }); },
          "Takes a sample out of turn: at the end of an experiment, say.")
      .def("history", &history, py::arg("name"), py::arg("labels") = py::none(),
           py::arg("seconds") = py::none(),
           "The last `seconds` (None: all) of the sample with exactly these labels: the times in\n"
           "seconds since the epoch and the values, NaN where the series did not exist; float64\n"
           "arrays, oldest first. Of `x_bucket` without `le`: all buckets, values[time, bound].")
      .def("history_series", &history_series, py::arg("name"),
           "The label sets that history() has values for.")
      .def("history_stats", &history_stats,
           "The options and what is held at present, None if no history is running.");
  py::module_::import("atexit").attr("register")(
      py::cpp_function([] { without_gil([] { started().stop_all(); }); }));
}

}  // namespace inferometer::python
