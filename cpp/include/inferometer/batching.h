// How requests are gathered into batches. The words are those of Triton's dynamic batcher.
#pragma once

#include <cstdint>
#include <optional>

namespace inferometer {

/// A plain value. check() says what is wrong with it.
struct Batching {
  /// Rows in one batch at most.
  int64_t max_batch_size = 64;
  /// How long the oldest request may wait for company; 0 = send what is there as soon as an
  /// instance is free.
  int64_t max_queue_delay_ns = 0;
  /// Requests that may wait; the next one is refused at the door.
  int64_t max_queue_size = 1024;
  /// Deadline of a request that names none, counted from its arrival.
  std::optional<int64_t> default_timeout_ns;

  /// Throws ConfigError naming the field, what was got and what is wanted.
  void check() const;
};

}  // namespace inferometer
