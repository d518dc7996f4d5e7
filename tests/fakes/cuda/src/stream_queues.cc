#include "stream_queues.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace inferometer::emulation {
namespace {

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool may_run(const Operation& operation) {
  return std::all_of(operation.after.begin(), operation.after.end(),
                     [](const auto& other) { return other->done; });
}

}  // namespace

std::shared_ptr<Stream> StreamQueues::create(int device, bool waits_for_default) {
  auto stream = std::make_shared<Stream>();
  stream->device = device;
  stream->waits_for_default = waits_for_default;
  streams_.push_back(stream);
  return stream;
}

std::shared_ptr<Stream> StreamQueues::default_stream(int device) {
  const auto index = static_cast<size_t>(device);
  if (index >= defaults_.size()) defaults_.resize(index + 1);
  if (defaults_[index] == nullptr) defaults_[index] = create(device, false);
  return defaults_[index];
}

std::vector<std::shared_ptr<Operation>> StreamQueues::last_of(const Stream& stream) const {
  std::vector<std::shared_ptr<Operation>> last;
  const auto add = [&](const Stream& other) {
    if (!other.queued.empty()) last.push_back(other.queued.back());
  };
  const auto index = static_cast<size_t>(stream.device);
  const Stream* const by_default = index < defaults_.size() ? defaults_[index].get() : nullptr;
  if (&stream == by_default) {
    for (const auto& other : streams_) {
      if (other->device == stream.device && other->waits_for_default) add(*other);
    }
  } else if (stream.waits_for_default && by_default != nullptr) {
    add(*by_default);
  }
  return last;
}

std::shared_ptr<Operation> StreamQueues::queue(Stream& stream, std::function<void()> run,
                                               std::shared_ptr<Operation> after) {
  auto operation = std::make_shared<Operation>();
  operation->device = stream.device;
  operation->run = std::move(run);
  operation->after = last_of(stream);
  if (after != nullptr && !after->done) operation->after.push_back(std::move(after));
  stream.queued.push_back(operation);
  stream.last = operation;
  return operation;
}

void StreamQueues::run_one(Random& random) {
  std::vector<Stream*> ready;
  for (const auto& stream : streams_) {
    if (!stream->queued.empty() && may_run(*stream->queued.front())) ready.push_back(stream.get());
  }
  if (ready.empty()) return;
  Stream& stream = *ready[random.below(ready.size())];
  const std::shared_ptr<Operation> operation = stream.queued.front();
  runner_(*operation);
  // Not before: what runs may drop what is queued on its device.
  if (!operation->done) {
    stream.queued.pop_front();
    finish(*operation);
  }
}

void StreamQueues::run_until(const Operation& operation, Random& random) {
  while (!operation.done) run_one(random);
  forget_ended();
}

void StreamQueues::run_all(int device, Random& random) {
  for (const auto& stream : std::vector(streams_)) {
    if (stream->device == device && stream->last != nullptr) run_until(*stream->last, random);
  }
}

void StreamQueues::drop(int device) {
  for (const auto& stream : streams_) {
    if (stream->device != device) continue;
    for (const auto& operation : stream->queued) finish(*operation);
    stream->queued.clear();
  }
}

void StreamQueues::finish(Operation& operation) {
  operation.done = true;
  operation.done_ns = now_ns();
  operation.run = nullptr;
  operation.after.clear();
}

size_t StreamQueues::queued() const {
  size_t operations = 0;
  for (const auto& stream : streams_) operations += stream->queued.size();
  return operations;
}

void StreamQueues::forget_ended() {
  std::erase_if(streams_, [](const auto& stream) {
    return stream.use_count() == 1 && stream->queued.empty();
  });
}

}  // namespace inferometer::emulation
