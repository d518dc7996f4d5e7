#include "model/attributes.h"

#include "inferometer/errors.h"

namespace inferometer {

template <typename T>
const T* Attributes::find(const std::string& name, const char* type) {
  read_.insert(name);
  const auto found = node_.attributes.find(name);
  if (found == node_.attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw ConfigError("attribute \"" + name + "\" has the wrong type, want " + type);
  }
  return value;
}

int64_t Attributes::integer(const std::string& name, int64_t fallback) {
  const auto* value = find<int64_t>(name, "an integer");
  return value == nullptr ? fallback : *value;
}

double Attributes::number(const std::string& name, double fallback) {
  const auto* value = find<double>(name, "a number");
  return value == nullptr ? fallback : *value;
}

std::string Attributes::text(const std::string& name, const std::string& fallback) {
  const auto* value = find<std::string>(name, "a string");
  return value == nullptr ? fallback : *value;
}

std::optional<std::vector<int64_t>> Attributes::integers(const std::string& name) {
  const auto* value = find<std::vector<int64_t>>(name, "a list of integers");
  if (value == nullptr) return std::nullopt;
  return *value;
}

void Attributes::require_all_read() const {
  for (const auto& [name, value] : node_.attributes) {
    if (!read_.contains(name)) {
      throw UnsupportedOperatorError("attribute \"" + name + "\" is not supported");
    }
  }
}

}  // namespace inferometer
