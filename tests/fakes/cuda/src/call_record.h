// Which functions were called, and which calls are to fail.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace inferometer::emulation {

/// What a call needs, and whether it may be chosen to fail where any call may.
enum class CallKind : uint8_t {
  kAnswer,   // tells what is known; refused only if that was planned
  kSurvey,   // about devices, which must be there
  kWork,     // needs the current device, not lost
  kWait,     // as kWork, and waits even if it is to fail: nothing is left queued
  kRelease,  // gives something back, on a lost device too
};

/// A failure that was asked for. Plain data.
struct PlannedError {
  int error;
  bool named;  // for this very function, not for any
};

/// Single-owner.
class CallRecord {
 public:
  /// Counts a call; has a value if it is to fail.
  std::optional<PlannedError> note(std::string_view name, CallKind kind);
  void plan(std::string_view name, uint64_t nth, int error);
  /// How many had not come yet.
  size_t forget_plans();

  [[nodiscard]] uint64_t count(std::string_view name) const;
  void forget_counts();

 private:
  struct Plan {
    std::string name;
    uint64_t left;
    int error;
  };

  std::map<std::string, uint64_t, std::less<>> counts_;
  std::vector<Plan> plans_;
};

}  // namespace inferometer::emulation
