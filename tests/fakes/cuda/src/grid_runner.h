// Runs a kernel.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda_emulation_launch.h"
#include "fiber.h"
#include "random.h"

namespace inferometer::emulation {

/// A kernel as it was queued. Plain data.
struct Kernel {
  dim3 grid;
  dim3 block;
  std::function<void()> thread;
  SharedMemory shared;
};

/// Runs the blocks of a grid one after the other, in an arbitrary order. The threads of a block run
/// in phases, from one barrier to the next, each phase in another arbitrary order. A fiber runs
/// threads that have not begun in a loop; one that reaches a barrier keeps the fiber, and the next
/// fiber goes on with the loop: without barriers nothing is ever switched. Single-owner.
class GridRunner {
 public:
  /// Empty if all went well, else what was wrong. The threads that then still waited are forgotten.
  std::string run(const Kernel& kernel, Random& random);
  /// Called on a fiber.
  void wait_at_barrier(const char* file, int line);

 private:
  /// A fiber, and where the thread that it runs waits. Single-owner.
  struct Worker {
    Fiber fiber;
    uint3 thread;
    const char* file = nullptr;
    int line = 0;
  };

  static void run_threads(void* self);
  std::string run_block(Random& random);
  void begin_threads(Random& random);
  void run_phase(Random& random);
  void sort(Worker& worker, bool ended);
  [[nodiscard]] bool is_with_first(const Worker& worker) const;
  [[nodiscard]] bool all_at_one_barrier() const;
  [[nodiscard]] std::string divergence() const;
  void use_threads_of(dim3 block);
  Worker& free_worker();

  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> free_;
  std::vector<Worker*> waiting_;
  Worker* running_ = nullptr;
  std::vector<uint3> threads_;
  size_t begun_ = 0;
  const std::function<void()>* thread_ = nullptr;
};

}  // namespace inferometer::emulation
