// How requests are gathered into batches. The words are those of Triton's dynamic batcher; the
// rules are written down in docs/batching.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace inferometer {

/// What happens to a request that has waited for longer than its level allows.
enum class TimeoutAction : uint8_t {
  kReject,  // it ends with the outcome `timeout`
  kDelay,   // it goes behind all levels
};

/// Rules for the requests of one priority level. A plain value.
struct QueuePolicy {
  /// Requests that may wait in this level; the next one is refused at the door.
  std::optional<int64_t> max_queue_size;
  /// How long a request may wait. What is with the model already is not touched.
  std::optional<int64_t> timeout_ns;
  TimeoutAction timeout_action = TimeoutAction::kReject;
  /// A request's own timeout takes the place of timeout_ns where it is smaller.
  bool allow_timeout_override = false;
};

/// Lets requests of different lengths share a batch. A plain value.
struct Padding {
  /// The axis along which lengths differ, the rows being axis 0. Inputs without it are not padded.
  int64_t axis = 1;
  /// What the rest is filled with, converted to the input's type.
  double value = 0;
  /// Ascending lengths: only requests that fall between the same two share a batch. Empty: all may.
  std::vector<int64_t> buckets;
  /// Cuts outputs that are as long as the padded batch back to each request's length.
  bool trim_outputs = false;
};

/// A plain value. check() says what is wrong with it.
struct Batching {
  /// Rows in one batch at most.
  int64_t max_batch_size = 64;
  /// How long the oldest request may wait for company; 0 = send what is there as soon as an
  /// instance is free.
  int64_t max_queue_delay_ns = 0;
  /// Rows that are worth sending at once, ascending; empty: none but max_batch_size.
  std::vector<int64_t> preferred_batch_sizes;
  /// Requests that may wait; the next one is refused at the door.
  int64_t max_queue_size = 1024;
  /// Bytes of input that may wait.
  std::optional<int64_t> max_queue_bytes;
  /// Deadline of a request that names none, counted from its arrival.
  std::optional<int64_t> default_timeout_ns;
  /// Levels 1 (served first) to this one; 0: requests have no priorities.
  int64_t priority_levels = 0;
  /// Of requests that name none; 0: the middle one, (priority_levels + 1) / 2.
  int64_t default_priority_level = 0;
  QueuePolicy default_queue_policy;
  /// By level, for those that differ from the default.
  std::map<int64_t, QueuePolicy> priority_queue_policy;
  std::optional<Padding> padding;
  /// Requests may share a batch. If not, each is a batch of its own, of up to max_batch_size rows,
  /// and none waits for company: the delay is 0, and there are no preferred sizes and no padding.
  bool merge_requests = true;

  /// Throws ConfigError naming the field, what was got and what is wanted.
  void check() const;
  /// The policy of level 1, 2, ... (or of the only one).
  [[nodiscard]] const QueuePolicy& policy_of(int64_t level) const;
};

}  // namespace inferometer
