#include "serving/input_check.h"

#include <algorithm>
#include <string>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer {
namespace {

// An input that was never given a name is called "input".
std::string_view shown(std::string_view name) { return name.empty() ? "input" : name; }

std::string quoted(std::string_view name) {
  return std::string("'").append(shown(name)).append("'");
}

}  // namespace

InputCheck::InputCheck(std::vector<TensorSpec> specs) : specs_(std::move(specs)) {
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (specs_[i].name.empty() && specs_.size() > 1) {
      throw ConfigError("input " + std::to_string(i) + ": got an empty name, want a name");
    }
    if (specs_[i].shape.rank() == 0) {
      throw ConfigError("input " + quoted(specs_[i].name) +
                        ": got shape (), want rows first: (-1, ...)");
    }
    for (size_t j = 0; j < i; ++j) {
      if (specs_[j].name == specs_[i].name) {
        throw ConfigError("inputs: got " + quoted(specs_[i].name) + " twice, want distinct names");
      }
    }
  }
}

std::vector<TensorSpec> InputCheck::implied_by(std::span<const NamedInput> inputs) {
  if (inputs.empty()) throw InputError("got no inputs, want one or more");
  std::vector<TensorSpec> specs;
  for (const NamedInput& input : inputs) {
    if (input.name.empty() && inputs.size() > 1) {
      throw InputError("got an array without a name among " + std::to_string(inputs.size()) +
                       ", want a name for each");
    }
    if (std::ranges::find(specs, input.name, &TensorSpec::name) != specs.end()) {
      throw InputError("got input " + quoted(input.name) + " twice");
    }
    if (input.view.shape.rank() == 0) {
      throw ShapeError("input " + quoted(input.name) +
                       ": got a scalar, want rows first: (rows, ...)");
    }
    Shape shape = input.view.shape;
    shape.set(0, Shape::kFree);
    specs.push_back({std::string(input.name), input.view.dtype, shape});
  }
  return specs;
}

std::string InputCheck::names() const {
  std::string text;
  for (const TensorSpec& spec : specs_) text += (text.empty() ? "" : ", ") + quoted(spec.name);
  return text;
}

size_t InputCheck::index_of(std::string_view name) const {
  if (name.empty()) {
    if (specs_.size() == 1) return 0;
    throw InputError("got one array without a name, want " + std::to_string(specs_.size()) +
                     " named inputs: " + names());
  }
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (shown(specs_[i].name) == name) return i;
  }
  throw InputError("got unknown input " + quoted(name) + ", want " + names());
}

void InputCheck::check_input(const TensorSpec& spec, const TensorView& view) const {
  if (view.dtype != spec.dtype) {
    throw DTypeError("input " + quoted(spec.name) + ": got " + std::string(dtype_name(view.dtype)) +
                     ", want " + std::string(dtype_name(spec.dtype)));
  }
  if (!spec.shape.accepts(view.shape)) {
    throw ShapeError("input " + quoted(spec.name) + ": got shape " + view.shape.to_string() +
                     ", want " + spec.shape.to_string());
  }
}

void InputCheck::check_rows(size_t input, const TensorView& view, int64_t max_rows) const {
  const int64_t rows = view.shape[0];
  if (rows >= 1 && rows <= max_rows) return;
  throw ShapeError("input " + quoted(specs_[input].name) + ": got " + std::to_string(rows) +
                   " rows, want 1 to " + std::to_string(max_rows) + " (max_batch_size)");
}

std::span<const TensorView> InputCheck::in_order(std::span<const NamedInput> inputs,
                                                 int64_t max_rows,
                                                 std::optional<Ordered>& several) const {
  if (inputs.size() == 1 && specs_.size() == 1 && inputs[0].view.data != nullptr) {
    (void)index_of(inputs[0].name);
    check_input(specs_[0], inputs[0].view);
    check_rows(0, inputs[0].view, max_rows);
    return {&inputs[0].view, 1};
  }
  return several.emplace(in_order(inputs, max_rows));
}

InputCheck::Ordered InputCheck::in_order(std::span<const NamedInput> inputs,
                                         int64_t max_rows) const {
  Ordered ordered(specs_.size());
  for (const NamedInput& input : inputs) {
    const size_t index = index_of(input.name);
    if (ordered[index].data != nullptr) {
      throw InputError("got input " + quoted(specs_[index].name) + " twice");
    }
    check_input(specs_[index], input.view);
    ordered[index] = input.view;
  }
  for (size_t i = 0; i < specs_.size(); ++i) {
    if (ordered[i].data == nullptr) {
      throw InputError("missing input " + quoted(specs_[i].name) + ", want " + names());
    }
    check_rows(i, ordered[i], max_rows);
    const int64_t rows = ordered[i].shape[0];
    if (rows != ordered[0].shape[0]) {
      throw ShapeError("input " + quoted(specs_[i].name) + ": got " + std::to_string(rows) +
                       " rows, want " + std::to_string(ordered[0].shape[0]) + " as in input " +
                       quoted(specs_[0].name));
    }
  }
  return ordered;
}

}  // namespace inferometer
