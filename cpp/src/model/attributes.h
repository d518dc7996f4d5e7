// Reading a node's attributes: typed, with defaults, and none overlooked.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "inferometer/model.h"

namespace inferometer {

/// The attributes of one node while it is lowered. A wrong type throws ConfigError. Single-owner.
class Attributes {
 public:
  explicit Attributes(const GraphNode& node) : node_(node) {}

  [[nodiscard]] int64_t integer(const std::string& name, int64_t fallback);
  [[nodiscard]] double number(const std::string& name, double fallback);
  [[nodiscard]] std::string text(const std::string& name, const std::string& fallback);
  [[nodiscard]] std::optional<std::vector<int64_t>> integers(const std::string& name);
  /// For an attribute that does not change an answer.
  void ignore(const std::string& name) { read_.insert(name); }
  /// Throws UnsupportedOperatorError if the node has an attribute that was never asked for.
  void require_all_read() const;

 private:
  template <typename T>
  const T* find(const std::string& name, const char* type);

  const GraphNode& node_;
  std::set<std::string> read_;
};

}  // namespace inferometer
