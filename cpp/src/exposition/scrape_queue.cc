#include "exposition/scrape_queue.h"

#include <pthread.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "inferometer/clock.h"

namespace inferometer {
namespace {

std::shared_ptr<const Exposition> render(const ScrapeHandler& handler, const ScrapeRequest& request,
                                         const ScrapeQueue::ErrorHandler& on_error) {
  std::string error = "something that is no std::exception";
  try {
    return std::make_shared<const Exposition>(handler(request));
  } catch (const std::exception& thrown) {
    error = thrown.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): said below
  }
  if (on_error) on_error("the metrics could not be rendered: " + error);
  return nullptr;
}

}  // namespace

struct ScrapeQueue::State {
  // Scrapes that one rendering answers.
  struct Group {
    std::string accept;
    std::string accept_encoding;
    std::vector<Done> waiting;
  };

  State(ScrapeHandler to_call, ErrorHandler to_tell)
      : handler(std::move(to_call)), on_error(std::move(to_tell)) {}

  void work() {
    pthread_setname_np(pthread_self(), "im-render");
    MutexLock lock(mutex);
    for (;;) {
      while (groups.empty() && !stopping) changed.wait(mutex);
      if (stopping) break;
      running = std::move(groups.front());
      groups.pop_front();
      // A copy of the headers: stop() may clear `running` meanwhile.
      const std::string accept = running.accept;
      const std::string accept_encoding = running.accept_encoding;
      lock.unlock();
      const std::shared_ptr<const Exposition> rendered =
          render(handler, {accept, accept_encoding}, on_error);
      lock.lock();
      std::vector<Done> waiting = std::exchange(running.waiting, {});
      delivering = true;
      lock.unlock();
      for (const Done& done : waiting) done(rendered);
      waiting.clear();
      lock.lock();
      delivering = false;
      if (stopping) changed.notify_all();
    }
    left = true;
    changed.notify_all();
  }

  const ScrapeHandler handler;
  const ErrorHandler on_error;

  Mutex mutex;
  CondVar changed;
  std::deque<Group> groups GUARDED_BY(mutex);  // one for each pair of headers
  Group running GUARDED_BY(mutex);
  bool stopping GUARDED_BY(mutex) = false;
  bool delivering GUARDED_BY(mutex) = false;  // calls of `done` are under way
  bool left GUARDED_BY(mutex) = false;        // the thread is about to end
  std::thread thread GUARDED_BY(mutex);
};

ScrapeQueue::ScrapeQueue(ScrapeHandler handler, ErrorHandler on_error)
    : state_(std::make_shared<State>(std::move(handler), std::move(on_error))) {
  MutexLock lock(state_->mutex);
  state_->thread = std::thread([state = state_] { state->work(); });
}

ScrapeQueue::~ScrapeQueue() { stop(steady_clock().now_ns()); }

void ScrapeQueue::add(std::string accept, std::string accept_encoding, Done done) {
  MutexLock lock(state_->mutex);
  if (state_->stopping) return;
  auto& groups = state_->groups;
  auto group = std::ranges::find_if(groups, [&](const State::Group& other) {
    return other.accept == accept && other.accept_encoding == accept_encoding;
  });
  if (group == groups.end()) {
    groups.push_back({std::move(accept), std::move(accept_encoding), {}});
    group = std::prev(groups.end());
    state_->changed.notify_all();
  }
  group->waiting.push_back(std::move(done));
}

void ScrapeQueue::stop(int64_t deadline_ns) noexcept {
  std::deque<State::Group> dropped;  // destroyed without the lock
  std::vector<Done> dropped_too;
  std::thread thread;
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
    dropped.swap(state_->groups);
    // A handler may hang, a delivery never does.
    bool in_time = true;
    while (!state_->left && (in_time || state_->delivering)) {
      if (in_time) {
        in_time = state_->changed.wait_until(state_->mutex, deadline_ns);
      } else {
        state_->changed.wait(state_->mutex);
      }
    }
    dropped_too = std::exchange(state_->running.waiting, {});
    thread.swap(state_->thread);
    if (thread.joinable() && !state_->left) thread.detach();
  }
  if (thread.joinable()) thread.join();
}

}  // namespace inferometer
