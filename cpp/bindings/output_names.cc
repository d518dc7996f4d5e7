#include "output_names.h"

#include <algorithm>
#include <utility>

#include "inferometer/errors.h"

namespace inferometer::python {
namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

}  // namespace

const OutputNames& LearnedNames::learn(OutputNames found) {
  MutexLock lock(mutex_);
  if (!owned_) {
    owned_ = std::make_unique<const OutputNames>(std::move(found));
    known_.store(owned_.get(), std::memory_order_release);
  } else if (found.bare != owned_->bare || sorted(found.names) != sorted(owned_->names)) {
    throw ModelError("the model returned outputs " + listed(found.names) + ", want " +
                     listed(owned_->names) + " as in its first answer");
  }
  return *owned_;
}

}  // namespace inferometer::python
