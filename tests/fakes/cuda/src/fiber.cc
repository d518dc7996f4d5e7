#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "sanitizer.h"

#if !INFEROMETER_STACK_SWITCH_UCONTEXT
asm(R"(
.text
.p2align 4
.hidden inferometer_switch_stacks
.globl inferometer_switch_stacks
.type inferometer_switch_stacks, @function
inferometer_switch_stacks:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size inferometer_switch_stacks, .-inferometer_switch_stacks
)");
#endif

namespace inferometer::emulation {
namespace {

// Sanitizers make frames several times as large.
constexpr size_t kStackBytes = INFEROMETER_ADDRESS_SANITIZER ? size_t{256} << 10 : size_t{64} << 10;
// All stacks have their tops at different places in a page, or they would want the same few lines
// of the cache.
constexpr size_t kPlaces = 32;
constexpr size_t kPlaceBytes = 128;

/// The stack of the host thread that runs fibers. Single-owner: one device operation at a time.
struct Home {
  StackContext context;
  void* kept = nullptr;
  const void* bottom = nullptr;
  size_t bytes = 0;
};
Home home;
Fiber* running = nullptr;
size_t fibers = 0;

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

Fiber::Fiber() : usable_bytes_(kStackBytes - fibers++ % kPlaces * kPlaceBytes) {
  // The page below the stack is for nobody: an overflow ends there.
  const size_t guard = page_bytes();
  void* const mapping = mmap(nullptr, kStackBytes + guard, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<char*>(mapping);
  stack_ = mapping_ + guard;
  if (mprotect(stack_, kStackBytes, PROT_READ | PROT_WRITE) != 0) {
    munmap(mapping_, kStackBytes + guard);
    throw std::bad_alloc();
  }
}

Fiber::~Fiber() {
  sanitizer::unpoison(stack_, kStackBytes);
  munmap(mapping_, kStackBytes + page_bytes());
}

Fiber* Fiber::current() { return running; }

bool Fiber::start(void (*function)(void*), void* argument) {
  // The last frames of what ran here before, all of them if it was forgotten in the middle.
  constexpr size_t kEntryBytes = 4096;
  if (ended_) {
    sanitizer::unpoison(stack_ + usable_bytes_ - kEntryBytes, kEntryBytes);
  } else {
    sanitizer::unpoison(stack_, kStackBytes);
  }
  function_ = function;
  argument_ = argument;
  kept_ = nullptr;
  ended_ = false;
  prepare_stack(context_, stack_, usable_bytes_, &Fiber::entry);
  return resume();
}

bool Fiber::resume() {
  running = this;
  sanitizer::leave_stack(&home.kept, stack_, kStackBytes);
  switch_stacks(home.context, context_);
  sanitizer::enter_stack(home.kept, nullptr, nullptr);
  running = nullptr;
  return ended_;
}

void Fiber::leave() {
  Fiber& fiber = *running;
  sanitizer::leave_stack(&fiber.kept_, home.bottom, home.bytes);
  switch_stacks(fiber.context_, home.context);
  sanitizer::enter_stack(fiber.kept_, &home.bottom, &home.bytes);
}

void Fiber::entry() {
  sanitizer::enter_stack(nullptr, &home.bottom, &home.bytes);
  Fiber& fiber = *running;
  fiber.function_(fiber.argument_);
  fiber.ended_ = true;
  sanitizer::leave_stack(nullptr, home.bottom, home.bytes);
  switch_stacks(fiber.context_, home.context);
}

}  // namespace inferometer::emulation
