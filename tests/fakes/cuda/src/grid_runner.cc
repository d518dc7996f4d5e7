#include "grid_runner.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "block_order.h"
#include "shared_memory.h"

namespace inferometer::emulation {

Position g_position = {};

namespace {

size_t volume(dim3 size) { return size_t{size.x} * size.y * size.z; }

uint3 block_number(uint64_t number, dim3 grid) {
  // Most grids have one dimension, and divisions are what most of a small block would be.
  if (grid.y == 1 && grid.z == 1) return {static_cast<unsigned>(number), 0, 0};
  const uint64_t row = number / grid.x;
  return {static_cast<unsigned>(number % grid.x), static_cast<unsigned>(row % grid.y),
          static_cast<unsigned>(row / grid.y)};
}

std::string text_of(uint3 position) {
  std::ostringstream text;
  text << '(' << position.x << ", " << position.y << ", " << position.z << ')';
  return text.str();
}

}  // namespace

std::string GridRunner::run(const Kernel& kernel, Random& random) {
  g_position.block_size = kernel.block;
  g_position.grid_size = kernel.grid;
  thread_ = &kernel.thread;
  use_threads_of(kernel.block);
  const size_t blocks = volume(kernel.grid);
  BlockOrder order(blocks, random);
  // Kernels that leave shared memory alone are not made to wait for it to be filled.
  bool used = true;
  for (size_t i = 0; i < blocks; ++i) {
    if (used) fill(kernel.shared);
    g_position.block = block_number(order.next(), kernel.grid);
    std::string failure = run_block(random);
    if (!failure.empty()) return failure;
    if (i == 0) used = !is_filled(kernel.shared);
  }
  return {};
}

std::string GridRunner::run_block(Random& random) {
  begin_threads(random);
  while (!waiting_.empty()) {
    if (!all_at_one_barrier()) {
      std::string failure = divergence();
      free_.insert(free_.end(), waiting_.begin(), waiting_.end());
      waiting_.clear();
      return failure;
    }
    run_phase(random);
  }
  return {};
}

/// Until each thread waits or has ended.
void GridRunner::begin_threads(Random& random) {
  random.shuffle(threads_);
  begun_ = 0;
  while (begun_ < threads_.size()) {
    running_ = &free_worker();
    sort(*running_, running_->fiber.start(&GridRunner::run_threads, this));
  }
}

void GridRunner::sort(Worker& worker, bool ended) { (ended ? free_ : waiting_).push_back(&worker); }

void GridRunner::run_threads(void* self) {
  auto& runner = *static_cast<GridRunner*>(self);
  const std::function<void()>& thread = *runner.thread_;
  while (runner.begun_ < runner.threads_.size()) {
    g_position.thread = runner.threads_[runner.begun_++];
    thread();
  }
}

void GridRunner::run_phase(Random& random) {
  random.shuffle(waiting_);
  std::vector<Worker*> now;
  now.swap(waiting_);
  for (Worker* const worker : now) {
    running_ = worker;
    g_position.thread = worker->thread;
    sort(*worker, worker->fiber.resume());
  }
}

void GridRunner::wait_at_barrier(const char* file, int line) {
  running_->thread = g_position.thread;
  running_->file = file;
  running_->line = line;
  Fiber::leave();
}

bool GridRunner::is_with_first(const Worker& worker) const {
  const Worker& first = *waiting_.front();
  return worker.line == first.line &&
         (worker.file == first.file || std::strcmp(worker.file, first.file) == 0);
}

bool GridRunner::all_at_one_barrier() const {
  return waiting_.size() == threads_.size() &&
         std::all_of(waiting_.begin(), waiting_.end(),
                     [&](const Worker* worker) { return is_with_first(*worker); });
}

std::string GridRunner::divergence() const {
  const auto other = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const Worker* worker) { return !is_with_first(*worker); });
  const Worker& first = *waiting_.front();
  std::ostringstream text;
  text << "divergent __syncthreads() in block " << text_of(g_position.block) << ": thread "
       << text_of(first.thread) << " waits at " << first.file << ':' << first.line;
  if (other != waiting_.end()) {
    text << ", thread " << text_of((*other)->thread) << " at " << (*other)->file << ':'
         << (*other)->line;
  }
  text << "; " << waiting_.size() << " of " << threads_.size()
       << " threads wait, the others have ended";
  return text.str();
}

void GridRunner::use_threads_of(dim3 block) {
  threads_.clear();
  for (unsigned z = 0; z < block.z; ++z) {
    for (unsigned y = 0; y < block.y; ++y) {
      for (unsigned x = 0; x < block.x; ++x) threads_.push_back({x, y, z});
    }
  }
}

GridRunner::Worker& GridRunner::free_worker() {
  if (free_.empty()) {
    workers_.push_back(std::make_unique<Worker>());
    free_.push_back(workers_.back().get());
  }
  Worker& worker = *free_.back();
  free_.pop_back();
  return worker;
}

}  // namespace inferometer::emulation
