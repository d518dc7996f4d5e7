// The waiting requests that can share a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "inferometer/request.h"
#include "inferometer/tensor.h"
#include "serving/batch_policy.h"
#include "serving/buffer_pool.h"
#include "serving/request_list.h"
#include "serving/segment.h"

namespace inferometer {

class LoadedModel;

/// What requests of one group have in common: the model, dtypes and row shapes (a padded axis is
/// free in them), and a tag (the bucket of lengths; in a simulation whatever it says). A value
/// type.
struct GroupKey {
  GroupKey(std::shared_ptr<LoadedModel> serves, int64_t group_tag,
           std::span<const TensorView> inputs, std::optional<int64_t> padded_axis);

  /// True if a request like that belongs to this group.
  [[nodiscard]] bool matches(const LoadedModel* serves, int64_t group_tag,
                             std::span<const TensorView> inputs) const noexcept;
  bool operator==(const GroupKey& other) const noexcept = default;
  struct Hash {
    size_t operator()(const GroupKey& key) const noexcept;
  };

  std::shared_ptr<LoadedModel> model;
  int64_t tag = 0;
  std::optional<int64_t> free_axis;
  std::vector<std::pair<DType, Shape>> rows;
};

/// One FIFO ("lane") a priority level, and one more for the requests that were put behind. Requests
/// get their place in a segment here: rows of consecutive requests of one shape lie side by side,
/// so that a batch of them is handed to the model as it lies. Does not own the requests.
/// Single-owner.
class WaitingGroup {
 public:
  /// Segments hold `segment_rows` rows, or fewer where that would pass kMaxSegmentBytes.
  WaitingGroup(GroupKey key, BufferPool& pool, int64_t segment_rows)
      : key_(std::move(key)), pool_(pool), segment_rows_(segment_rows) {}
  WaitingGroup(const WaitingGroup&) = delete;
  WaitingGroup& operator=(const WaitingGroup&) = delete;

  static constexpr size_t kMaxSegmentBytes = size_t{64} << 20;
  /// Request::lane_ of those that were put behind; the others' is their level.
  static constexpr int64_t kBehind = std::numeric_limits<int64_t>::max();

  /// Reserves room for the rows of `request`. Throws std::bad_alloc, and then nothing has changed.
  void place(Request& request, std::span<const TensorView> inputs);
  /// Adds a placed request to the lane of its level.
  void append(Request& request) noexcept;
  void remove(Request& request) noexcept;
  /// Puts a request behind all levels, in order of arrival.
  void put_behind(Request& request) noexcept;

  /// The most urgent request; null if none waits.
  [[nodiscard]] Request* first() const noexcept;
  /// The one behind `request`.
  [[nodiscard]] Request* after(const Request& request) const noexcept;
  [[nodiscard]] BatchCandidate candidate(const Batching& batching) const noexcept;
  [[nodiscard]] int64_t requests() const noexcept { return requests_; }
  [[nodiscard]] const GroupKey& key() const noexcept { return key_; }

 private:
  using Lane = RequestList<&Request::in_lane_>;

  [[nodiscard]] int64_t oldest_arrival_ns() const noexcept;
  [[nodiscard]] Lane& lane_of(const Request& request) noexcept;
  // Of the levels from this one on, and of those behind.
  [[nodiscard]] Request* first_from(size_t level) const noexcept;

  const GroupKey key_;
  BufferPool& pool_;
  const int64_t segment_rows_;
  int64_t requests_ = 0;
  int64_t rows_ = 0;
  std::vector<Lane> levels_;  // levels_[0] is level 1; as many as were used
  Lane behind_;
  // Where the next request's rows go, if they fit there.
  std::shared_ptr<Segment> open_segment_;
};

}  // namespace inferometer
