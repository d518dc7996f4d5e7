// Which names and texts may be exposed.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "telemetry/metric_type.h"

namespace inferometer {

/// [a-zA-Z_:][a-zA-Z0-9_:]*
[[nodiscard]] bool is_metric_name(std::string_view name) noexcept;
/// [a-zA-Z_][a-zA-Z0-9_]*
[[nodiscard]] bool is_label_name(std::string_view name) noexcept;
/// Well-formed UTF-8: no surrogates, no overlong forms, nothing beyond U+10FFFF.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// `name` without the `_total` of a counter.
[[nodiscard]] std::string_view without_total(std::string_view name) noexcept;

/// The name that a family has in OpenMetrics: that of a counter is without `_total`.
[[nodiscard]] std::string_view base_name(std::string_view family, MetricType type) noexcept;

/// The base unit that a family's base_name() ends with: "seconds", "bytes", ... or nothing. The
/// view is of static text.
[[nodiscard]] std::string_view unit_of(std::string_view name) noexcept;

/// The names that families occupy in an exposition: their own and those of their samples in any
/// text format (`x_total` and `x_created` of counter `x`; `x_bucket`, `x_sum`, ... of a histogram).
/// Const-safe.
class NameTable {
 public:
  struct Owner {
    std::string family;  // as exposed
    MetricType type = MetricType::kUntyped;
  };
  /// Who occupies one of the names that such a family would need, or null. The owner may be the
  /// same family.
  [[nodiscard]] const Owner* owner_of(std::string_view family, MetricType type) const;
  /// Occupies the names of a family that has no owner yet.
  void add(std::string_view family, MetricType type);
  /// Gives the names of a family that has them free.
  void remove(std::string_view family, MetricType type);

 private:
  std::unordered_map<std::string, Owner> owners_;
};

}  // namespace inferometer
