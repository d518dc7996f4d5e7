#include "base/process_generation.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace inferometer {
namespace {

// The exit status of a child that runs `body` and exits with what it returns.
template <typename Body>
int exit_status_of_child(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(body());
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ProcessGenerationTest, GrowsInTheChildAndStaysInTheParent) {
  const uint32_t parent = process_generation();
  EXPECT_EQ(exit_status_of_child([&] { return static_cast<int>(process_generation() - parent); }),
            1);
  EXPECT_EQ(process_generation(), parent);
}

TEST(ProcessGenerationTest, GrowsAgainInAGrandchild) {
  const uint32_t parent = process_generation();
  const auto grandchild = [&] { return static_cast<int>(process_generation() - parent); };
  EXPECT_EQ(exit_status_of_child([&] { return exit_status_of_child(grandchild); }), 2);
}

}  // namespace
}  // namespace inferometer
