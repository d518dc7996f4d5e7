// What a request must look like to be accepted.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "inferometer/engine.h"
#include "inferometer/tensor.h"
#include "serving/inline_list.h"

namespace inferometer {

/// Checks requests against an engine's input specs. Constant after construction; const-safe.
class InputCheck {
 public:
  /// Throws ConfigError for duplicate names, empty ones (but for a single input) and specs without
  /// a row axis.
  explicit InputCheck(std::vector<TensorSpec> specs);
  /// The specs that a first request implies: its names (empty if it gave none), dtypes and row
  /// shapes, any number of rows. Throws InputError (no inputs, repeated or missing names) or
  /// ShapeError.
  [[nodiscard]] static std::vector<TensorSpec> implied_by(std::span<const NamedInput> inputs);

  /// Puts the inputs into the order of the specs. Throws InputError (unknown, missing or repeated
  /// names), DTypeError or ShapeError (rank, dimension, rows 0 or above `max_rows`, rows that
  /// differ between inputs).
  using Ordered = InlineList<TensorView, 4>;
  [[nodiscard]] Ordered in_order(std::span<const NamedInput> inputs, int64_t max_rows) const;
  /// The same without copying the views where there is but one: `several` holds them otherwise.
  [[nodiscard]] std::span<const TensorView> in_order(std::span<const NamedInput> inputs,
                                                     int64_t max_rows,
                                                     std::optional<Ordered>& several) const;
  [[nodiscard]] const std::vector<TensorSpec>& specs() const noexcept { return specs_; }

 private:
  [[nodiscard]] size_t index_of(std::string_view name) const;
  void check_rows(size_t input, const TensorView& view, int64_t max_rows) const;
  void check_input(const TensorSpec& spec, const TensorView& view) const;
  [[nodiscard]] std::string names() const;

  std::vector<TensorSpec> specs_;
};

}  // namespace inferometer
