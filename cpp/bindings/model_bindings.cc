#include "model_bindings.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "arrays.h"
#include "gil.h"
#include "inferometer/errors.h"
#include "specs.h"

namespace py = pybind11;

namespace inferometer::python {
namespace {

/// One direct call: inputs are the caller's arrays, outputs fresh ones. Used by one thread.
class DirectBatch final : public Batch {
 public:
  DirectBatch(const py::args& arrays, const Model& model) : input_specs_(model.inputs()) {
    const auto& specs = model.inputs();
    if (arrays.size() != specs.size()) {
      throw InputError("got " + std::to_string(arrays.size()) + " arrays, want " +
                       std::to_string(specs.size()));
    }
    for (size_t i = 0; i < specs.size(); ++i) add_input(arrays[i], specs[i]);
    for (const TensorSpec& spec : model.outputs()) {
      Shape shape = spec.shape;
      shape.set(0, rows_);
      const auto dims = shape.dims();
      outputs_.emplace_back(numpy_dtype(spec.dtype),
                            std::vector<py::ssize_t>(dims.begin(), dims.end()));
      output_data_.push_back(static_cast<std::byte*>(outputs_.back().mutable_data()));
    }
  }

  [[nodiscard]] const std::vector<py::array>& outputs() const noexcept { return outputs_; }

  [[nodiscard]] int64_t rows() const noexcept override { return rows_; }
  [[nodiscard]] std::span<const TensorView> inputs() const noexcept override { return views_; }
  [[nodiscard]] std::span<const TensorSpec> input_specs() const noexcept override {
    return input_specs_;
  }
  [[nodiscard]] std::shared_ptr<const void> input_owner() const override { return nullptr; }
  MutableTensorView allocate_output(size_t index, DType dtype, const Shape& shape) override {
    return {dtype, shape, output_data_[index]};
  }
  [[nodiscard]] size_t requests() const noexcept override { return 1; }
  [[nodiscard]] const std::shared_ptr<void>& object(size_t /*request*/) const noexcept override {
    return no_object_;
  }
  void set_result_object(size_t /*request*/, std::shared_ptr<void> /*result*/) override {}

 private:
  void add_input(const py::handle& given, const TensorSpec& spec) {
    if (!py::isinstance<py::array>(given)) {
      throw DTypeError("input '" + spec.name + "': got " +
                       py::type::handle_of(given).attr("__name__").cast<std::string>() +
                       ", want a numpy array");
    }
    const auto array = py::reinterpret_borrow<py::array>(given);
    if (dtype_of(array, "input '" + spec.name + "'") != spec.dtype) {
      throw DTypeError("input '" + spec.name + "': got " +
                       py::str(static_cast<py::object>(array.dtype())).cast<std::string>() +
                       ", want " + std::string(dtype_name(spec.dtype)));
    }
    arrays_.push_back(py::array::ensure(array, py::array::c_style));
    if (!arrays_.back()) throw py::error_already_set();
    views_.push_back(view_of(arrays_.back(), "input '" + spec.name + "'"));
    const Shape& shape = views_.back().shape;
    if (shape.rank() > 0 && views_.size() == 1) rows_ = shape[0];
    if (!spec.shape.accepts(shape) || shape[0] != rows_) {
      throw ShapeError("input '" + spec.name + "': got shape " + shape.to_string() + ", want " +
                       spec.shape.to_string() + " with as many rows in every input");
    }
  }

  const std::span<const TensorSpec> input_specs_;
  int64_t rows_ = 0;
  std::vector<py::array> arrays_, outputs_;
  std::vector<TensorView> views_;
  std::vector<std::byte*> output_data_;
  const std::shared_ptr<void> no_object_;
};

DType parse(const std::string& dtype) {
  const auto parsed = parse_dtype(dtype);
  if (!parsed.has_value()) throw ConfigError("got dtype '" + dtype + "', want a numpy name");
  return *parsed;
}

void bind_builder(py::module_& m) {
  py::class_<GraphBuilder>(
      m, "GraphBuilder",
      "A graph of ONNX operators in the making. Names are defined before they are used; a mistake "
      "raises ConfigError.")
      .def(py::init<>())
      .def(
          "add_input",
          [](GraphBuilder& self, const std::string& name, const std::string& dtype,
             const std::vector<int64_t>& shape) {
            self.add_input({name, parse(dtype), Shape(shape)});
          },
          py::arg("name"), py::arg("dtype"), py::arg("shape"))
      .def(
          "add_constant",
          [](GraphBuilder& self, const std::string& name, const py::array& value) {
            const py::array dense = py::array::ensure(value, py::array::c_style);
            if (!dense) throw py::error_already_set();
            self.add_constant(name, Tensor::copy_of(view_of(dense, "constant '" + name + "'")));
          },
          py::arg("name"), py::arg("value"), "The array is copied.")
      .def(
          "add_node",
          [](GraphBuilder& self, std::string op, std::string name, std::vector<std::string> inputs,
             std::vector<std::string> outputs, std::map<std::string, Attribute> attributes) {
            self.add_node({std::move(op), std::move(name), std::move(inputs), std::move(outputs),
                           std::move(attributes)});
          },
          py::arg("op"), py::arg("name"), py::arg("inputs"), py::arg("outputs"),
          py::arg("attributes"))
      .def("add_output", &GraphBuilder::add_output, py::arg("name"))
      .def(
          "compile",
          [](const GraphBuilder& self, const std::string& cpu_isa, bool fuse,
             const std::string& device, const std::string& cuda_module, const std::string& cublas) {
            CompileOptions options;
            options.device = device;
            options.cuda = {cuda_module, cublas};
            options.cpu_isa = cpu_isa;
            options.fuse = fuse;
            std::unique_ptr<ModelObject> model;
            without_gil(
                [&] { model = std::make_unique<ModelObject>(Model::compile(self, options)); });
            return model;
          },
          py::kw_only(), py::arg("cpu_isa") = "", py::arg("fuse") = true, py::arg("device") = "cpu",
          py::arg("cuda_module") = "", py::arg("cublas") = "",
          "A Model for this device. Raises UnsupportedOperatorError naming every operator that "
          "cannot run, ConfigError for a graph that is wrong in itself, DeviceError if the device "
          "cannot be used.");
}

void bind_devices(py::module_& m) {
  m.def(
      "devices",
      [](const std::string& cuda_module, const std::string& cublas) {
        std::vector<DeviceInfo> found;
        without_gil([&] { found = devices({cuda_module, cublas}); });
        py::list all;
        for (const DeviceInfo& device : found) {
          all.append(py::make_tuple(device.name, device.description, device.memory_bytes,
                                    device.unavailable));
        }
        return all;
      },
      py::arg("cuda_module"), py::arg("cublas"),
      "(name, description, bytes of memory, why it cannot be used) of each device.");
}

}  // namespace

py::object ModelObject::run(const py::args& arrays) {
  DirectBatch batch(arrays, model_);
  without_gil([&] {
    const MutexLock lock(mutex_);
    if (!direct_) direct_ = model_.make_executable();
    direct_->run(batch);
  });
  if (batch.outputs().size() == 1) return batch.outputs()[0];
  return py::tuple(py::cast(batch.outputs()));
}

void bind_model(py::module_& m) {
  bind_devices(m);
  bind_builder(m);
  const py::class_<NativeModel> base(m, "NativeModel",
                                     "A model that an engine runs without Python.");
  py::class_<ModelObject, NativeModel>(m, "Model",
                                       "A compiled native model. Made by inferometer.onnx.load().")
      .def_property_readonly(
          "inputs", [](const ModelObject& self) { return to_tuples(self.model().inputs()); },
          "(name, dtype, shape) of each input; -1 is free.")
      .def_property_readonly(
          "outputs", [](const ModelObject& self) { return to_tuples(self.model().outputs()); },
          "(name, dtype, shape) of each output; -1 is free.")
      .def_property_readonly(
          "max_rows", [](const ModelObject& self) { return self.model().max_rows(); },
          "Rows that one run takes, 0 for any number.")
      .def_property_readonly(
          "device", [](const ModelObject& self) { return std::string(self.model().device()); },
          "Where it runs, such as 'cpu (x86-64-v3)' or 'cuda:0 (NVIDIA H200)'.")
      .def_property_readonly(
          "steps", [](const ModelObject& self) { return self.model().steps(); },
          "What a run executes, in order, such as 'Conv+Relu'.")
      .def_property_readonly("weights_bytes",
                             [](const ModelObject& self) { return self.model().weights_bytes(); })
      .def(
          "activation_bytes",
          [](const ModelObject& self, int64_t rows) {
            if (rows < 0)
              throw ConfigError("got " + std::to_string(rows) + " rows, want 0 or more");
            return self.model().activation_bytes(rows);
          },
          py::arg("rows"), "Working memory in bytes once a batch of `rows` rows has been run.")
      .def(
          "on",
          [](const ModelObject& self, const std::string& device) {
            std::unique_ptr<ModelObject> model;
            without_gil([&] { model = std::make_unique<ModelObject>(self.model().on(device)); });
            return model;
          },
          py::arg("device"),
          "The same model on another GPU ('cuda:1'), for one that was loaded for a GPU. Raises "
          "ConfigError, or DeviceError if the device cannot be used.")
      .def(
          "run", &ModelObject::run,
          "Runs one batch on this thread, without an engine: arrays in the order of `inputs`, rows "
          "first, never cast (one that is not C-contiguous is copied). Returns a fresh array, or a "
          "tuple of them if there are several outputs. Releases the GIL.")
      .def("__repr__", [](const ModelObject& self) {
        return "<inferometer native model on " + std::string(self.model().device()) + ", " +
               std::to_string(self.model().steps().size()) + " steps>";
      });
}

}  // namespace inferometer::python
