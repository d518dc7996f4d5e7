// HTTP header values that weigh alternatives: Accept, Accept-Encoding (RFC 9110, section 12.4).
#pragma once

#include <string_view>
#include <utility>
#include <vector>

namespace inferometer {

/// One alternative. The views are into the header's value.
struct Alternative {
  std::string_view value;  ///< "text/plain", "gzip", ...
  double quality = 1;      ///< 0 to 1; 0 forbids it. Anything that is no number counts as 0.
  /// The parameters without `q`, in order; quotes are taken off.
  std::vector<std::pair<std::string_view, std::string_view>> parameters;

  /// The value of a parameter (its name in any case), empty if it is not there.
  [[nodiscard]] std::string_view parameter(std::string_view name) const noexcept;
  /// Whether the value is this one, in any case.
  [[nodiscard]] bool is(std::string_view wanted) const noexcept;
};

/// The alternatives, best first, equals in the order of the header. Takes any bytes: what makes no
/// sense is left out, and so is what comes after the first 64.
[[nodiscard]] std::vector<Alternative> parse_quality_list(std::string_view header);

}  // namespace inferometer
