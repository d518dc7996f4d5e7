// Requests made by hand, for tests of the parts below the engine.
#pragma once

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "inferometer/request.h"
#include "serving/ending.h"
#include "serving/request_queue.h"

namespace inferometer {

// A request's fields are its engine's business. Tests that stand in for the engine reach them the
// one way the language leaves: an explicit instantiation may name private members.
template <typename Field, auto kMember>
struct Reach {
  friend constexpr auto member(Field) { return kMember; }
};
#define INFEROMETER_REACH(Field, name)   \
  struct Field {                         \
    friend constexpr auto member(Field); \
  };                                     \
  template struct Reach<Field, &Request::name>
INFEROMETER_REACH(RowsField, rows_);
INFEROMETER_REACH(BytesField, bytes_);
INFEROMETER_REACH(ArrivalField, arrival_ns_);
INFEROMETER_REACH(DeadlineField, deadline_ns_);
INFEROMETER_REACH(QueueDeadlineField, queue_deadline_ns_);
INFEROMETER_REACH(LevelField, level_);
INFEROMETER_REACH(CompletionsField, completions_);
INFEROMETER_REACH(SegmentField, segment_);
INFEROMETER_REACH(RowBeginField, row_begin_);
INFEROMETER_REACH(StateField, state_);
INFEROMETER_REACH(InQueueField, in_queue_);
#undef INFEROMETER_REACH

inline std::shared_ptr<Request> make_request(int64_t rows = 1, int64_t arrival_ns = 0,
                                             int64_t deadline_ns = kNever) {
  auto request = std::make_shared<Request>();
  (*request).*member(RowsField{}) = rows;
  (*request).*member(ArrivalField{}) = arrival_ns;
  (*request).*member(DeadlineField{}) = deadline_ns;
  return request;
}

inline std::shared_ptr<Request> make_request_for(std::shared_ptr<CompletionQueue> queue) {
  auto request = make_request();
  (*request).*member(CompletionsField{}) = std::move(queue);
  return request;
}

inline const std::shared_ptr<Segment>& segment_of(Request& request) {
  return request.*member(SegmentField{});
}
inline int64_t row_begin_of(const Request& request) { return request.*member(RowBeginField{}); }
inline const std::atomic<uint32_t>& state_of(const Request& request) {
  return request.*member(StateField{});
}

/// As an engine submits: queues a request with a copy of `view`'s rows.
inline std::shared_ptr<Request> append_rows(RequestQueue& queue, const TensorView& view,
                                            int64_t arrival_ns = 0, int64_t level = 1,
                                            std::optional<int64_t> padded_axis = {}) {
  auto request = make_request(view.shape[0], arrival_ns);
  (*request).*member(LevelField{}) = level;
  static const std::shared_ptr<LoadedModel> no_model;
  queue.append(request, {&view, 1},
               {.model = no_model, .padded_axis = padded_axis, .segment_rows = 8});
  segment_of(*request)->fill(row_begin_of(*request), {&view, 1});
  Ending::mark_filled(*request);
  return request;
}

}  // namespace inferometer
